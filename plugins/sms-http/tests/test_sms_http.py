import asyncio
import base64
import dataclasses
import hmac
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import ValidationError

from flexiapi.plugin import (
    Callback,
    DeliveryReport,
    Permanent,
    RecipientDeferred,
    RecipientRefused,
    Retryable,
    SmsMessage,
    Throttled,
    Unverified,
)
from flexiapi.testing import GARBAGE, RESET, BackendContract, Gateway, failure_of, reply, run_backend
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
        for name in ("url", "check_url", "credit_url"):
            if name in table:
                parts = urlsplit(table[name])
                table[name] = gateway.url + parts.path + (f"?{parts.query}" if parts.query else "")
        return table


class TestVonage(ReadmeExample):
    label = "vonage"
    accepted = reply(200, {"message-count": "1", "messages": [{"to": "336", "message-id": "0A01", "status": "0"}]})
    busy = reply(200, {"messages": [{"status": "5", "error-text": "Internal error"}]})
    refused = reply(200, {"messages": [{"status": "4", "error-text": "Bad Credentials"}]})

    def gateway(self):
        gateway = super().gateway()
        gateway.answer(
            lambda request: reply(200 if request.query["api_key"] == "..." else 401, {"value": 10.28}),
            path="/account/get-balance",
        )
        return gateway

    def test_what_is_sent(self):
        with self.gateway() as gateway:
            gateway.answer(self.accepted)
            assert self.send(gateway).id == "0A01"
        form = gateway.sends[0].form()
        assert (form["to"], form["text"], form["from"]) == ("33612345678", self.message().text, "Example")

    def test_a_code_lives_as_long_at_vonage_as_here(self):
        message = dataclasses.replace(MESSAGE, time_to_live=600, sender="Beta")
        with self.gateway() as gateway:
            use(self.config(gateway), lambda backend: backend.send(message))
        form = gateway.sends[0].form()
        assert (form["ttl"], form["from"], form["client-ref"]) == ("600000", "Beta", message.idempotency_key)

    @pytest.mark.parametrize(
        ("status", "kind"), [("1", Throttled), ("7", RecipientRefused), ("29", Permanent), ("9", Permanent)]
    )
    def test_statuses_are_told_apart(self, status, kind):
        with self.gateway() as gateway:
            gateway.answer(reply(200, {"messages": [{"status": "0"}, {"status": status}]}))
            assert type(failure_of(lambda: self.send(gateway))) is kind

    def test_cost_of_all_parts_and_credit(self):
        parts = [{"status": "0", "message-id": "1", "message-price": price} for price in ("0.03330000", "0.04")]
        with self.gateway() as gateway:
            gateway.answer(reply(200, {"messages": parts}))
            assert self.send(gateway).cost == pytest.approx(0.0733)
            assert use(self.config(gateway), lambda backend: backend.credit()) == 10.28


class Test46elks(ReadmeExample):
    label = "elks"
    accepted = reply(200, {"status": "created", "id": "s70df59406a1b4643b96f3f91e0bfb7b0", "cost": 3500})
    busy, refused = reply(502, body="<html>"), reply(403, body="Not enough credits")

    def gateway(self):
        gateway = super().gateway()
        gateway.answer(reply(200, {"balance": 998300, "currency": "SEK"}), path="/a1/me")
        return gateway

    def test_what_is_sent_and_what_it_costs(self):
        with self.gateway() as gateway:
            receipt = self.send(gateway)
            assert use(self.config(gateway), lambda backend: backend.credit()) == 99.83
        assert (receipt.id, receipt.cost) == ("s70df59406a1b4643b96f3f91e0bfb7b0", 0.35)
        form = gateway.sends[0].form()
        assert (form["to"], form["from"], form["message"]) == (self.message().phone, "Example", self.message().text)

    @pytest.mark.parametrize(
        ("told", "status"), [("delivered", "delivered"), ("failed", "failed"), ("sent", "underway")]
    )
    def test_its_report_is_one_that_the_callback_of_the_request_proves(self, told, status):
        async def reported(backend):
            await backend.send(MESSAGE)
            url = gateway.sends[0].form()["whendelivered"]
            request = as_called(url, data={"id": "s70df", "status": told})
            return await backend.read_reports(request)

        with self.gateway() as gateway:
            assert use(self.config(gateway), reported) == [DeliveryReport(status, "s70df")]


class TestWholeGateway(ReadmeExample):
    label = "gateway"
    accepted = reply(201, {"id": "m1", "status": "queued", "price": {"amount": "0.04"}})
    busy = reply(503)
    refused = reply(422, {"error": {"code": "bad_sender"}})

    def gateway(self):
        gateway = super().gateway()
        gateway.answer(reply(200, {"balance": 42.5}), path="/v1/balance")
        return gateway

    def test_what_is_sent(self):
        message = dataclasses.replace(MESSAGE, time_to_live=600, sender="Beta")
        with self.gateway() as gateway:
            receipt = use(self.config(gateway), lambda backend: backend.send(message))
        assert (receipt.id, receipt.cost) == ("m1", 0.04)
        assert gateway.sends[0].headers["authorization"] == "Bearer ..."
        assert gateway.sends[0].json() == {
            "to": message.phone,
            "from": "Beta",
            "text": message.text,
            "ttl": "600",
            "callback": "https://gateway:s3cret@accounts.example.org/callbacks/gateway",
        }

    def test_a_repeat_that_the_gateway_recognises_is_one_sms(self):
        taken = {}

        def take(request):
            key = request.headers["idempotency-key"]
            taken.setdefault(key, reply(201, {"id": f"m{len(taken)}", "status": "queued"}))
            return taken[key]

        async def tries(backend):
            other = dataclasses.replace(MESSAGE, idempotency_key="0" * 32)
            return [(await backend.send(message)).id for message in (MESSAGE, MESSAGE, other)]

        with self.gateway() as gateway:
            gateway.answer(take)
            assert use(self.config(gateway), tries) == ["m0", "m0", "m1"]

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (reply(422, {"error": {"code": "unsubscribed"}}), RecipientRefused),
            (reply(422, {"error": {"code": "number_busy"}}, headers={"retry-after": "30"}), RecipientDeferred),
            (reply(429, {"error": {"code": "rate"}}), Throttled),
            (reply(200, {"error": {"code": "quota"}}), Throttled),
            (reply(200, {"status": "rejected"}), Permanent),
            (reply(500, {"status": "queued"}), Retryable),
            (reply(200, body="queued"), Permanent),
        ],
    )
    def test_its_answers_are_told_apart(self, answer, kind):
        with self.gateway() as gateway:
            gateway.answer(answer)
            assert type(failure_of(lambda: self.send(gateway))) is kind

    def test_a_call_by_the_same_gateway_and_its_rules(self):
        call = dataclasses.replace(MESSAGE, text="4, 7, 1, 1", language="fr", channel="voice")
        with self.gateway() as gateway:
            gateway.answer(reply(200, {"id": "c1", "status": "queued"}), path="/v1/calls")
            receipt = use(self.called(gateway), lambda backend: backend.send(call))
            [request] = gateway.requests
            assert (receipt.id, request.path) == ("c1", "/v1/calls")
            assert request.headers["authorization"] == "Bearer ..."
            assert request.json() == {"to": call.phone, "say": "4, 7, 1, 1", "language": "fr", "times": 2}
            gateway.answer(reply(422, {"error": {"code": "unsubscribed"}}), path="/v1/calls")
            error = failure_of(lambda: use(self.called(gateway), lambda backend: backend.send(call)))
            assert type(error) is RecipientRefused

    def called(self, gateway):
        table = self.settings(gateway)
        table["voice"]["url"] = gateway.url + urlsplit(table["voice"]["url"]).path
        return HttpSms.Config.model_validate(table)

    def test_what_is_left(self):
        with self.gateway() as gateway:
            assert use(self.config(gateway), lambda backend: backend.credit()) == 42.5

    def test_its_report_is_one_that_the_callback_of_the_request_proves(self):
        async def reported(backend):
            await backend.send(MESSAGE)
            url = gateway.sends[0].json()["callback"]
            body = {"messageId": "m1", "status": "failed", "error": {"code": 27}}
            with pytest.raises(Unverified):
                await backend.read_reports(as_called(url.replace("s3cret", "another"), json=body))
            return await backend.read_reports(as_called(url, json=body))

        with self.gateway() as gateway:
            assert use(self.config(gateway), reported) == [DeliveryReport("failed", "m1", "27")]


def as_called(url, **content):
    """The callback that a request to a URL with a user and a password is."""
    with httpx.Client() as client:
        request = client.build_request("POST", url, **content)
    user = httpx.BasicAuth(request.url.username, request.url.password)
    request = next(user.auth_flow(request))
    return Callback(request.read(), {name.lower(): value for name, value in request.headers.items()}, "")


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
            "knows channel, code, digits, id, kind, language, phone, secrets, sender, text, validity, not number",
        ),
        ({"body_form": {"to": "{{ phone"}}, "is not a Jinja2 template"),
        ({"success": "json.status =="}, "is not a Jinja2 template"),
        ({"success": "phone"}, "not phone"),
        ({"success": "$.messages[0"}, "is not a JSONPath"),
        ({"receipt": "$.id and $.name"}, "is not a JSONPath"),
        ({"success_values": ["0"]}, "success_values needs a JSONPath"),
        ({"voice": {"url": "http://gateway", "success_values": ["0"]}}, "success_values needs a JSONPath"),
        ({"voice": {"url": "http://gateway", "body_form": {"to": "{{ number }}"}}}, "not number"),
        ({"voice": {}}, "voice.url"),
        ({"senders": {"33": "Example"}}, "senders"),
        ({"credit_url": "http://gateway/credit"}, "credit_url and credit belong together"),
        ({"credit": "json.left"}, "credit_url and credit belong together"),
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

    def test_a_signature_proves_nothing_without_a_body(self):
        digest = hmac.digest(self.SECRET.encode(), b"", "sha256").hex()
        rules = {"report_proof": "hmac-sha256", "report_header": "X-Signature"}
        with pytest.raises(Unverified):
            self.read(b"", {"x-signature": digest}, "status=delivered", **rules)

    def test_one_request_may_have_several_reports(self):
        rules = {"report_each": "$.results[*]", "report_id": "$.id", "report_reason": None}
        body = {"results": [{"id": 1, "status": "delivered"}, {"id": 2, "status": "expired"}, {"id": 3}]}
        told = [DeliveryReport("delivered", "1"), DeliveryReport("failed", "2"), DeliveryReport("underway", "3")]
        assert self.read(body, **rules) == told
        for empty in ({"results": []}, {}, b"<html>"):
            assert self.read(empty, **rules) == []

    def test_a_report_is_read_by_paths_too(self):
        rules = {
            "report_delivered": "$.results[?@.status.group == 'DELIVERED']",
            "report_failed": "$.results[?@.status.group == 'REJECTED' || @.status.group == 'EXPIRED']",
            "report_id": "$.results[0].messageId",
            "report_reason": "$..code",
        }
        for group, status in (("DELIVERED", "delivered"), ("EXPIRED", "failed"), ("PENDING", "underway")):
            body = {"results": [{"messageId": "a1", "status": {"group": group, "code": 27}}]}
            assert self.read(body, **rules) == [DeliveryReport(status, "a1", "27")]

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"report_delivered": "status == 1"}, "knows form, json, query, not status"),
            ({"report_secret": "short"}, "16"),
            ({"report_each": "json.results"}, "report_each is a JSONPath"),
        ],
    )
    def test_mistakes_are_found_at_the_start(self, settings, text):
        with pytest.raises(ValidationError, match=text):
            self.read({}, **settings)


@pytest.mark.parametrize(
    ("rules", "answer", "is_accepted"),
    [
        ({"success": "$.messages[0].status", "success_values": ["0", "queued"]}, {"messages": [{"status": "0"}]}, True),
        ({"success": "$.messages[0].status", "success_values": ["0", "queued"]}, {"messages": [{"status": 0}]}, True),
        ({"success": "$.messages[0].status", "success_values": [0]}, {"messages": [{"status": "0"}]}, True),
        ({"success": "$.messages[0].status", "success_values": ["0"]}, {"messages": [{"status": "1"}]}, False),
        ({"success": "$.messages[0].status", "success_values": ["0"]}, {"messages": []}, False),
        ({"success": "$.messages[0].status", "success_values": ["None"]}, {"messages": [{"status": None}]}, False),
        ({"success": "$.messages[*].status", "success_values": ["0"]}, {"messages": [{"status": "0"}] * 2}, True),
        (
            {"success": "$.messages[*].status", "success_values": ["0"]},
            {"messages": [{"status": "0"}, {"status": "1"}]},
            False,
        ),
        ({"success": "$.messages[?@.status == '0']"}, {"messages": [{"status": "0"}]}, True),
        ({"success": "$.messages[?@.status == '0']"}, {"messages": [{"status": "1"}]}, False),
        ({"success": " $.ok"}, {"ok": True}, True),
        ({"success": "$.ok"}, {"ok": False}, False),
        ({"success": "$.ok", "success_values": [True]}, {"ok": True}, True),
        ({"success": "$.ok"}, "ok", False),
        ({"success": "$.ok"}, '{"ok": true}', False),
        ({"success": "json.messages[0].status == '0'"}, {"messages": [{"status": "0"}]}, True),
    ],
)
def test_success_is_what_a_path_finds(rules, answer, is_accepted):
    with Gateway() as gateway:
        gateway.answer(reply(200, answer))
        if is_accepted:
            assert send(config(gateway, **rules))
        else:
            assert type(failure_of(lambda: send(config(gateway, **rules)))) is Permanent


def test_a_path_is_no_success_in_an_answer_that_is_none():
    with Gateway() as gateway:
        gateway.answer(reply(500, {"status": "0"}))
        assert type(failure_of(lambda: send(config(gateway, success="$.status")))) is Retryable
        gateway.answer(reply(401, {"status": "0"}))
        assert type(failure_of(lambda: send(config(gateway, success="$.status")))) is Permanent


def test_receipts_costs_and_faults_may_be_paths():
    rules = {
        "receipt": "$.messages[0]['message-id']",
        "cost": "$..price",
        "refused": "$.errors[?@.code == 7]",
        "busy": "$.errors[?@.code == 5]",
    }
    with Gateway() as gateway:
        gateway.answer(reply(200, {"messages": [{"message-id": 12, "price": "0.5"}]}))
        receipt = send(config(gateway, **rules))
        assert (receipt.id, receipt.cost) == ("12", 0.5)
        for code, kind in ((7, RecipientRefused), (5, Retryable), (4, Permanent)):
            gateway.answer(reply(400, {"errors": [{"code": code}]}))
            assert type(failure_of(lambda: send(config(gateway, **rules)))) is kind


@pytest.mark.parametrize(
    "rule", ["json.price / 100", "json.price.amount + 1", "1 / 0", "text", "$.price", "json.id ~ json.x.y.z + 1"]
)
def test_an_accepted_text_stays_accepted_whatever_its_receipt_looks_like(rule):
    with Gateway() as gateway:
        gateway.answer(reply(200, {"price": "free"}))
        assert send(config(gateway, cost=rule, receipt=rule)).cost is None


@pytest.mark.parametrize("rule", ["$", "json", "$.messages", "json.messages[0]"])
def test_a_receipt_never_is_a_whole_answer(rule):
    with Gateway() as gateway:
        gateway.answer(reply(200, {"messages": [{"to": MESSAGE.phone}]}))
        assert send(config(gateway, receipt=rule)).id is None


def test_a_limit_is_no_outage_by_default():
    with Gateway() as gateway:
        gateway.answer(reply(429))
        assert type(failure_of(lambda: send(config(gateway)))) is Throttled
        gateway.answer(reply(408))
        assert type(failure_of(lambda: send(config(gateway)))) is Retryable


@pytest.mark.parametrize(
    ("phone", "sender"),
    [
        ("+14155550100", "+15017122661"),
        ("+33612345678", "Mobile"),
        ("+33712345678", "France"),
        ("+4915112345678", "Beta"),
    ],
)
def test_the_sender_of_a_country_precedes_that_of_the_domain(phone, sender):
    senders = {"+1": "+15017122661", "+33": "France", "+336": "Mobile"}
    message = dataclasses.replace(MESSAGE, phone=phone, sender="Beta")
    with Gateway() as gateway:
        settings = config(gateway, senders=senders, body_form={"from": "{{ sender }}"})
        use(settings, lambda backend: backend.send(message))
    assert gateway.sends[0].form() == {"from": sender}


@pytest.mark.parametrize(("life", "validity"), [(600, 600), (0, 1), (None, 86400)])
def test_the_life_of_a_text_can_be_a_number(life, validity):
    message = dataclasses.replace(MESSAGE, time_to_live=life)
    with Gateway() as gateway:
        settings = HttpSms.Config.model_validate({**of_readme("numbers"), "url": gateway.url})
        use(settings, lambda backend: backend.send(message))
    assert gateway.sends[0].json() == {"to": MESSAGE.phone, "text": MESSAGE.text, "ttl": validity}


def test_without_a_request_for_calls_there_are_none():
    async def channels(backend):
        return backend.channels

    call = dataclasses.replace(MESSAGE, channel="voice")
    with Gateway() as gateway:
        assert use(config(gateway), channels) == {"text"}
        assert use(config(gateway, voice={"url": gateway.url}), channels) == {"text", "voice"}
        error = failure_of(lambda: use(config(gateway), lambda backend: backend.send(call)), call.phone)
        assert type(error) is Permanent
        assert "set its table voice" in error.reason
        assert not gateway.requests


def test_a_call_with_a_success_of_its_own_leaves_the_values_of_texts():
    settings = {"success": "$.status", "success_values": ["queued"]}
    call = dataclasses.replace(MESSAGE, channel="voice")
    with Gateway() as gateway:
        gateway.answer(reply(200, {"ok": True}))
        voice = {"url": gateway.url, "success": "$.ok"}
        assert use(config(gateway, **settings, voice=voice), lambda backend: backend.send(call))
        with pytest.raises(Permanent):
            use(config(gateway, **settings, voice={"url": gateway.url}), lambda backend: backend.send(call))


@pytest.mark.parametrize(("answer", "kind"), [(reply(503), Retryable), (reply(401), Permanent), (RESET, Retryable)])
def test_a_credit_that_is_not_told(answer, kind):
    with Gateway() as gateway:
        gateway.answer(answer)
        settings = config(gateway, credit_url=f"{gateway.url}/credit", credit="$.left")
        assert type(failure_of(lambda: use(settings, lambda backend: backend.credit()))) is kind
        gateway.answer(reply(200, {"left": "plenty"}))
        assert use(settings, lambda backend: backend.credit()) is None
        assert use(config(gateway), lambda backend: backend.credit()) is None


def test_as_many_connections_as_the_declared_concurrency():
    async def burst(backend):
        assert backend.concurrency == 5
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(40)))

    with Gateway() as gateway:
        use(config(gateway, concurrency=5), burst)
        assert len(gateway.sends) == 40
        assert gateway.most_connections <= 5


def test_a_message_of_an_earlier_server_is_sent():
    @dataclasses.dataclass
    class Earlier:
        phone: str = MESSAGE.phone
        text: str = MESSAGE.text

    with Gateway() as gateway:
        settings = config(gateway, body_form={"id": "{{ id }}", "ttl": "{{ validity }}", "by": "{{ channel }}"})
        use(settings, lambda backend: backend.send(Earlier()))
    form = gateway.sends[0].form()
    assert (len(form["id"]), form["ttl"], form["by"]) == (32, "", "text")
