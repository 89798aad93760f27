import base64
import hmac
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import ValidationError

from flexiapi.plugin import Callback, DeliveryReport, Permanent, Retryable, SmsMessage, Unverified
from flexiapi.testing import GARBAGE, RESET, BackendContract, Gateway, reply, run_backend
from flexiapi_sms_http import HttpSms

README = Path(__file__).parent.parent / "README.md"
MESSAGE = SmsMessage("+33612345678", 'Code "4711"\n& <ça> {{ secrets }}')


class TestJson(BackendContract):
    group, name = "flexiapi.sms", "http"
    busy, refused = reply(503), reply(400, {"error": "bad number"})

    def settings(self, gateway):
        return {
            "url": f"{gateway.url}/messages",
            "headers": {"Authorization": "Bearer {{ secrets.token }}"},
            "body_json": {"to": "{{ phone }}", "text": "{{ text }}"},
            "secrets": {"token": "s3cret"},
            "username": "alice",
            "password": "wonderland",
            "receipt": "json.id",
        }

    def test_secrets_in_tables_are_hidden(self):
        with self.gateway() as gateway:
            assert "s3cret" not in repr(self.config(gateway))


def of_readme(label):
    """An example of the README, but for `backend`."""
    blocks = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    [table] = [table for table in (tomllib.loads(block)["sms"].get(label) for block in blocks) if table]
    assert table.pop("backend") == "http"
    return table


class ReadmeExample(BackendContract):
    """An example of the README as it stands there, but for the host."""

    group, name = "flexiapi.sms", "http"
    label = ""

    def settings(self, gateway):
        table = of_readme(self.label)
        for name in ("url", "check_url"):
            if name in table:
                table[name] = gateway.url + urlsplit(table[name]).path
        return table


class TestVonage(ReadmeExample):
    label = "vonage"
    accepted = reply(200, {"message-count": "1", "messages": [{"to": "336", "message-id": "0A01", "status": "0"}]})
    busy = reply(200, {"messages": [{"status": "1", "error-text": "Throughput Rate Exceeded"}]})
    refused = reply(200, {"messages": [{"status": "4", "error-text": "Bad Credentials"}]})

    def test_what_is_sent(self):
        with self.gateway() as gateway:
            gateway.answer(self.accepted)
            assert self.send(gateway).id == "0A01"
        form = gateway.sends[0].form()
        assert (form["to"], form["text"]) == ("33612345678", self.message().text)


class TestMessageBird(ReadmeExample):
    label = "messagebird"
    accepted = reply(201, {"id": "e8077d80"})
    busy = reply(429, {"errors": []}, headers={"retry-after": "7"})
    refused = reply(422, {"errors": [{"code": 10, "description": "no (correct) recipients found"}]})

    def gateway(self):
        gateway = super().gateway()
        gateway.answer(reply(200, {"amount": 1}), path="/balance")
        return gateway

    def test_what_is_sent(self):
        with self.gateway() as gateway:
            gateway.answer(self.accepted)
            assert self.send(gateway).id == "e8077d80"
        assert gateway.sends[0].headers["authorization"] == "AccessKey ..."
        assert gateway.sends[0].json()["recipients"] == ["33612345678"]

    def test_check_asks_for_the_balance(self):
        with self.gateway() as gateway:
            check(self.config(gateway))
            gateway.answer(reply(401), path="/balance")
            with pytest.raises(Permanent, match="check_url answered 401: look at headers"):
                check(self.config(gateway))
        assert gateway.sends == []


class TestKannel(ReadmeExample):
    label = "kannel"
    accepted = reply(202, body="0: Accepted for delivery")
    busy = reply(503, body="Temporal failure, try again later.")
    refused = reply(403, body="Authorization failed for sendsms")

    def test_what_is_sent(self):
        with self.gateway() as gateway:
            gateway.answer(self.accepted)
            assert self.send(gateway).id == "0: Accepted for delivery"
        query = gateway.sends[0].query
        assert (query["to"], query["text"]) == ("+33612345678", self.message().text)


def config(gateway, **settings):
    return HttpSms.Config.model_validate({"url": gateway.url, **settings})


def use(config, call):
    return run_backend(HttpSms(config), call)


def send(config):
    return use(config, lambda backend: backend.send(MESSAGE))


def check(config):
    return use(config, lambda backend: backend.check())


def test_values_are_never_read_as_templates_and_always_escaped():
    with Gateway() as gateway:
        send(config(gateway, body_json={"deep": [{"text": "<{{ text }}>"}], "number": 1, "yes": True}))
        send(config(gateway, body_form={"text": "{{ text }}"}))
        send(config(gateway, url=gateway.url + "/{{ phone }}/a?text={{ text }}&fixed=1", body_text="<{{ text | e }}>"))
    as_json, as_form, in_url = gateway.sends
    assert as_json.json() == {"deep": [{"text": f"<{MESSAGE.text}>"}], "number": 1, "yes": True}
    assert as_form.form() == {"text": MESSAGE.text}
    assert in_url.path == "/%2B33612345678/a"
    assert in_url.query == {"text": MESSAGE.text, "fixed": "1"}
    assert b"&lt;" in in_url.body
    assert in_url.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_line_break_never_makes_a_header():
    with Gateway() as gateway, pytest.raises((Permanent, Retryable)):
        send(config(gateway, headers={"x-text": "{{ text }}"}))
    assert not gateway.sends


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"body_json": {"to": "{{ number }}"}},
            "knows code, digits, id, kind, language, phone, secrets, sender, text, not number",
        ),
        ({"body_form": {"to": "{{ phone"}}, "is not a Jinja2 template"),
        ({"success": "json.status =="}, "is not a Jinja2 template"),
        ({"success": "phone"}, "not phone"),
        ({"headers": {"x": "{{ token }}"}}, "not token"),
        ({"body_form": {}, "body_text": ""}, "one of body_json, body_form and body_text"),
        ({"method": "GET", "body_text": "x"}, "with GET none"),
        ({"url": "https://{{ phone }}/"}, "a host name without templates"),
        ({"url": "ftp://gateway"}, "starts with http"),
    ],
)
def test_mistakes_are_found_at_the_start(settings, text):
    with pytest.raises(ValidationError, match=text):
        HttpSms.Config.model_validate({"url": "http://gateway", **settings})


def test_templates_stay_in_the_sandbox():
    with Gateway() as gateway, pytest.raises(Permanent, match="SecurityError"):
        send(config(gateway, body_text="{{ text.__class__.__mro__ }}"))
    assert not gateway.sends


def test_a_rule_that_the_answer_does_not_fit_is_a_refusal():
    with Gateway() as gateway:
        gateway.answer(reply(200, body="<html>not json</html>"))
        with pytest.raises(Permanent, match="answered 200"):
            send(config(gateway, success="json.result.status == 0"))
        with pytest.raises(Permanent, match="cannot read"):
            send(config(gateway, success="text + 1 > 2"))


def test_the_wait_that_the_gateway_asks_for():
    with Gateway() as gateway:
        gateway.answer(reply(429, headers={"retry-after": "7"}))
        with pytest.raises(Retryable) as caught:
            send(config(gateway))
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("fault", [GARBAGE, RESET])
def test_broken_gateway_is_retryable(fault):
    with Gateway() as gateway:
        gateway.answer(fault)
        with pytest.raises(Retryable, match="broke off"):
            send(config(gateway))


def test_tls_is_verified():
    with Gateway(tls=True) as gateway:
        send(config(gateway, ca_file=gateway.ca_file))
        with pytest.raises(Retryable, match=r"TLS failed \(.*\), look at url and ca_file"):
            send(config(gateway))
    with (
        Gateway(tls=True, certificate_for="other.example.org") as gateway,
        pytest.raises(Retryable, match="TLS failed"),
    ):
        send(config(gateway, ca_file=gateway.ca_file))
    assert not gateway.sends


class TestCodes(ReadmeExample):
    label = "codes"
    busy, refused = reply(503), reply(400)

    def test_what_is_sent_and_sent_again(self):
        sms = SmsMessage("+33612345678", "text", kind="account.recovery", code="0427", language="fr")

        async def twice(backend):
            await backend.send(sms)
            await backend.send(sms)

        with self.gateway() as gateway:
            run_backend(HttpSms(self.config(gateway)), twice)
        first, second = gateway.sends
        body = {"to": "+33612345678", "template": "account.recovery", "language": "fr", "params": {"code": "0427"}}
        assert first.json() == body
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == sms.idempotency_key


class TestReports:
    SECRET = "Basic Z2F0ZXdheTpzM2NyZXQ="

    def read(self, body, headers=None, query="", **settings):
        given = {
            "report_secret": self.SECRET,
            "report_id": "json.id or form.id",
            "report_reason": "json.code",
            **settings,
        }
        config = HttpSms.Config.model_validate({"url": "http://127.0.0.1:9", **given})
        headers = {"authorization": self.SECRET} if headers is None else headers
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return use(config, lambda backend: backend.read_reports(Callback(content, headers, query)))

    @pytest.mark.parametrize(
        ("body", "report"),
        [
            ({"status": "delivered", "id": 12}, DeliveryReport("delivered", "12")),
            (b"status=delivered&id=a1", DeliveryReport("delivered", "a1")),
            ({"status": "expired", "id": "a1", "code": 27}, DeliveryReport("failed", "a1", "27")),
            ({"status": "buffered", "id": "a1"}, DeliveryReport("underway", "a1")),
            (["delivered"], DeliveryReport("underway")),
            (b"", DeliveryReport("underway")),
        ],
    )
    def test_a_report_is_read_by_the_rules_of_the_settings(self, body, report):
        assert self.read(body) == [report]

    def test_a_user_and_password_in_the_url_prove_it_as_in_the_readme(self):
        request = next(httpx.BasicAuth("gateway", "s3cret").auth_flow(httpx.Request("POST", "https://callbacks")))
        body = {"status": "failed", "messageId": "a1", "error": {"code": 27}}
        read = self.read(body, {"authorization": request.headers["authorization"]}, **of_readme("gateway"))
        assert read == [DeliveryReport("failed", "a1", "27")]

    def test_the_rules_are_the_operators(self):
        rules = {"report_delivered": "json.results[0].state.group == 3", "report_id": "query.message"}
        body = {"results": [{"state": {"group": 3}}]}
        assert self.read(body, query="message=a1", **rules) == [DeliveryReport("delivered", "a1")]

    @pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Basic é"}, {"x-key": SECRET}])
    def test_one_without_the_secret_is_nobodys(self, headers):
        with pytest.raises(Unverified):
            self.read({"status": "delivered"}, headers)

    def test_without_a_secret_in_the_settings_no_report_is_taken(self):
        for headers in ({}, {"authorization": ""}, {"authorization": "None"}):
            with pytest.raises(Unverified):
                self.read({"status": "delivered"}, headers, report_secret=None)

    def test_a_signature_is_that_of_the_body(self):
        body = b'{"status": "delivered"}'
        digest = hmac.digest(self.SECRET.encode(), body, "sha256")
        rules = {"report_proof": "hmac-sha256", "report_header": "X-Signature"}
        for proof in (digest.hex(), digest.hex().upper(), f"sha256={digest.hex()}", base64.b64encode(digest).decode()):
            assert self.read(body, {"x-signature": proof}, **rules) == [DeliveryReport("delivered")]
        for forged in ({"x-signature": self.SECRET}, {"x-signature": ""}, {}, {"authorization": self.SECRET}):
            with pytest.raises(Unverified):
                self.read(body, forged, **rules)
        with pytest.raises(Unverified):
            self.read(body + b" ", {"x-signature": digest.hex()}, **rules)

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"report_delivered": "status == 1"}, "knows form, json, query, not status"),
            ({"report_secret": "short"}, "16"),
        ],
    )
    def test_mistakes_are_found_at_the_start(self, settings, text):
        with pytest.raises(ValidationError, match=text):
            self.read({}, **settings)
