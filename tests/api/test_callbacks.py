"""Delivery reports of providers: taken from who proves to be the provider, counted and logged without a secret."""

import base64
import hmac
import importlib
import re
import sys

import pytest

from flexiapi.notify import figures
from tests.kit.watched_log import LOG

URL = "https://accounts.example.org/callbacks/texts"
TOKEN = "the auth token of the account"
SECRET = "Vm9pbGEtdW4tc2VjcmV0"
PHONE, TEXT = "+33612345678", "Your code is 471100"
REPORTING = """
import asyncio

from flexiapi.plugin import BackendConfig, DeliveryReport, MailBackend, Receipt


class Reporting(MailBackend[BackendConfig]):
    Config = BackendConfig

    async def send(self, message):
        return Receipt()

    async def read_reports(self, callback):
        told = callback.json()
        return [DeliveryReport(*one) for one in told] if isinstance(told, list) else told
"""


@pytest.fixture(scope="module")
def reporting(tmp_path_factory):
    """An installed backend whose reports are the JSON of the request."""
    site = tmp_path_factory.mktemp("site")
    info = site / "flexiapi_mail_reporting-1.0.dist-info"
    info.mkdir()
    (site / "flexiapi_mail_reporting.py").write_text(REPORTING)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flexiapi-mail-reporting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flexiapi.mail]\nreporting = flexiapi_mail_reporting:Reporting\n")
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    yield
    sys.path.remove(str(site))
    sys.modules.pop("flexiapi_mail_reporting", None)


@pytest.fixture(scope="module")
def configure(reporting):
    twilio = {"account_sid": "AC0123456789abcdef", "auth_token": TOKEN, "sender": "+15017122661", "report_url": URL}
    ovh = {"application_key": "a", "application_secret": "b", "consumer_key": "c", "report_secret": SECRET}
    return {
        "sms": {
            "texts": {"backend": "twilio", **twilio},
            "plain": {"backend": "outbox", "order": 1},
            "asked": {"backend": "ovh", "order": 2, **ovh},
        },
        "mail": {"letters": {"backend": "reporting"}},
        "limits": {"wrong_codes_per_hour": 20},
    }


def signed(fields, token=TOKEN):
    text = URL + "".join(f"{name}{value}" for name, value in sorted(fields.items()))
    return {"X-Twilio-Signature": base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()}


def counted(label, status, transport="sms"):
    return figures.reports.labels(transport, label, status)._value.get()


REPORT = {"MessageSid": "SM0a1b2c", "MessageStatus": "undelivered", "ErrorCode": "30003", "To": PHONE, "Body": TEXT}


@pytest.mark.parametrize("label", ["texts", "sms.texts"])
def test_a_report_of_the_provider_is_counted_and_logged_without_the_message(server, http, label):
    before = counted("texts", "failed")
    answer = http.post(f"/callbacks/{label}", data=REPORT, headers=signed(REPORT))
    assert (answer.status_code, answer.json()) == (200, {})
    assert counted("texts", "failed") == before + 1
    (line,) = [line for line in LOG.stream.getvalue().splitlines() if "delivery reported" in line]
    assert "backend=sms.texts status=failed id=SM0a1b2c" in line
    assert "undelivered (30003)" in line
    assert PHONE not in LOG.stream.getvalue()
    assert TEXT not in LOG.stream.getvalue()


def test_a_provider_that_calls_by_get_is_heard_and_the_secret_of_the_query_is_not_logged(server, http):
    before = counted("asked", "delivered")
    told = {"secret": SECRET, "id": "27814656", "ptt": "4", "date": "20261130083000", "description": "1"}
    assert http.get("/callbacks/asked", params=told).status_code == 200
    assert counted("asked", "delivered") == before + 1
    assert http.head("/callbacks/asked", params=told).status_code == 200
    assert http.get("/callbacks/asked", params={**told, "secret": "another secret"}).status_code == 403
    assert counted("asked", "delivered") == before + 1
    log = LOG.stream.getvalue()
    assert "backend=sms.asked status=delivered id=27814656" in log
    assert SECRET not in log


@pytest.mark.parametrize("headers", [{}, signed(REPORT, "another token"), {"X-Twilio-Signature": "é".encode()}])
def test_a_report_of_anybody_else_is_refused_and_counts_nothing(server, http, headers):
    before = counted("texts", "failed")
    assert http.post("/callbacks/texts", data=REPORT, headers=headers).status_code == 403
    assert counted("texts", "failed") == before
    assert "SM0a1b2c" not in LOG.stream.getvalue()


@pytest.mark.parametrize("label", ["nobody", "plain", "sms.plain", "x" * 65, "a%2Fb"])
def test_who_takes_no_reports_has_no_address(server, http, label):
    assert http.post(f"/callbacks/{label}", data=REPORT).status_code == 404


@pytest.mark.parametrize("body", ['"text"', '[["lost"]]', "{", '[["failed", "1", "2", "3"]]'])
def test_a_report_that_its_backend_cannot_read_is_told_by_its_place_alone(server, http, body):
    before = counted("letters", "unreadable", "mail")
    assert http.post("/callbacks/letters", content=body).status_code == 400
    assert counted("letters", "unreadable", "mail") == before + 1
    (line,) = [line for line in LOG.stream.getvalue().splitlines() if "cannot be read" in line]
    assert re.search(r"kind=\w+Error place=\S+:[0-9]+", line)


def test_several_reports_in_one_request(server, http):
    before = counted("letters", "delivered", "mail")
    body = [["delivered", "1"], ["delivered", "2"], ["underway"]]
    assert http.post("/callbacks/letters", json=body).status_code == 200
    assert counted("letters", "delivered", "mail") == before + 2


def test_what_a_provider_writes_cannot_forge_a_line_or_fill_the_log(server, http):
    body = [["failed", "a\nlevel=error", "x" * 100_00]]
    assert http.post("/callbacks/letters", json=body).status_code == 200
    (line,) = [line for line in LOG.stream.getvalue().splitlines() if "delivery reported" in line]
    assert "x" * 129 not in line
    assert not any(line.startswith("level=error") for line in LOG.stream.getvalue().splitlines())


def test_a_body_that_is_too_large_is_not_read(server, http):
    assert (
        http.post("/callbacks/letters", content=b"x" * (server.settings.server.max_body_bytes + 1)).status_code == 413
    )


def test_who_forges_reports_again_and_again_is_refused_before_the_backend_is_asked(server, http):
    statuses = [http.post("/callbacks/texts", data=REPORT).status_code for _ in range(25)]
    assert statuses[-1] == 429
    assert http.post("/callbacks/texts", data=REPORT, headers=signed(REPORT)).status_code == 429
    server.later(hours=2)
    assert http.post("/callbacks/texts", data=REPORT, headers=signed(REPORT)).status_code == 200
