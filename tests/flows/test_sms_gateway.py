"""The worked example of sms-http: a gateway that recognises repeats, and calls back, as its README describes it."""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flexiapi.notify import figures
from flexiapi.testing import RESET, Gateway, reply
from tests.kit.watched_log import LOG

README = Path(__file__).parents[2] / "plugins" / "sms-http" / "README.md"
PHONE = "+33612345678"


class Recognising(Gateway):
    """Takes each message once, by its key, and loses the answer to the first request."""

    def __init__(self):
        super().__init__()
        self.delivered = {}
        self.answer(self._take)

    def _take(self, request):
        key, is_first = request.headers["idempotency-key"], not self.delivered
        self.delivered.setdefault(key, request.json())
        answer = {"id": f"m{list(self.delivered).index(key)}", "status": "queued", "price": {"amount": "0.04"}}
        return RESET if is_first else reply(201, answer)


@pytest.fixture
def gateway():
    with Recognising() as gateway:
        yield gateway


@pytest.fixture
def configure(gateway):
    blocks = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    [table] = [tables["sms"]["gateway"] for block in blocks if "gateway" in (tables := tomllib.loads(block))["sms"]]
    return {"sms": {"gateway": {**table, "url": gateway.url + urlsplit(table["url"]).path}}}


@pytest.mark.usefixtures("no_waits")
def test_a_text_whose_answer_was_lost_is_one_text_and_reported_by_the_gateway(server, http, gateway):
    alice = server.person("alice.martin")
    asked = http.post("/api/accounts/me/phone/request", json={"phone": PHONE}, headers=alice.headers)
    assert asked.status_code == 200
    assert len(gateway.sends) == 2
    [sms] = gateway.delivered.values()
    assert (sms["to"], sms["from"], sms["ttl"]) == (PHONE, "Example", str(server.settings.account.pin_minutes * 60))

    callback = httpx.URL(sms["callback"])
    proof = httpx.BasicAuth(callback.username, callback.password)
    before = figures.reports.labels("sms", "gateway", "delivered")._value.get()
    for user, status in ((proof, 200), (httpx.BasicAuth("gateway", "guessed"), 403)):
        report = {"messageId": "m0", "status": "delivered"}
        assert http.post(callback.path, json=report, auth=user).status_code == status
    assert figures.reports.labels("sms", "gateway", "delivered")._value.get() == before + 1
    assert "backend=sms.gateway status=delivered id=m0" in LOG.stream.getvalue()
    assert PHONE not in LOG.stream.getvalue()
