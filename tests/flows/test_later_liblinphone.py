"""The later calls of liblinphone 5.4: its requests to the byte, and the answers as its account services read them.

It sends both media types on every request, also without a body; keys of bodies are sorted and compact; a POST without
parameters has no body and no Content-Length. It takes an answer only with the media type `application/json` alone,
reads `message` and `errors` of a failure, and falls over an empty body.
"""

import http.client
import json
import re

import pytest

from flexiapi.crypto import digest
from tests.kit.server import shared_by_module
from tests.kit.visitor import Visitor

AGENT = "LinphoneAndroid/6.0.0 (Pixel 8) LinphoneSDK/5.4.0"
PUSH = {"pn_provider": "fcm", "pn_param": "929724111839", "pn_prid": "fN3xW:APA91b_linphone-54"}
PASSWORD = "correct-horse-battery"
PHONE = "+33612340001"
server = shared_by_module({"panel": {"registration": "open"}})


class Linphone:
    """A device with liblinphone: its base URL ends in `/api/`, and each DIGEST costs it two requests."""

    def __init__(self, server):
        self.host = server.url.removeprefix("http://")
        self.account = self.ha1 = None

    def _send(self, method, path, payload, more):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.putrequest(method, f"/api/{path}", skip_accept_encoding=True)
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": AGENT}
        headers |= {"From": f"sip:{self.account}"} if self.account else {}
        headers |= {"Content-Length": str(len(payload))} if payload else {}
        for name, value in {**headers, **more}.items():
            connection.putheader(name, value)
        connection.endheaders(payload)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body

    def call(self, method, path, body=None, *, signed=False):
        """Return the status, and the JSON that the client reads."""
        payload = json.dumps(body, separators=(",", ":"), sort_keys=True).encode() if body is not None else b""
        answer, text = self._send(method, path, payload, {})
        if signed and answer.status == 401:
            more = {"Authorization": self._answer(answer.headers.get_all("WWW-Authenticate"), method, f"/api/{path}")}
            answer, text = self._send(method, path, payload, more)
        assert answer.getheader("content-type") == "application/json"
        assert text
        told = json.loads(text)
        if answer.status >= 300:
            assert isinstance(told["message"], str)
            assert all(isinstance(texts, list) and texts for texts in told.get("errors", {}).values())
        return answer.status, told

    def _answer(self, challenges, method, uri):
        """Answer the first challenge whose algorithm is that of the stored HA1, as belle-sip writes it."""
        challenge = next(one for one in challenges if "algorithm=SHA-256" in one.replace('"', ""))
        value = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        assert value.keys() >= {"realm", "qop", "nonce", "opaque"}
        response = digest.response("SHA-256", self.ha1, value["nonce"], "00000001", "5b1c2d3e", "auth", method, uri)
        return (
            f'Digest realm="{value["realm"]}", nonce="{value["nonce"]}", algorithm="SHA-256", '
            f'opaque="{value["opaque"]}", username="{self.account.partition("@")[0]}", response="{response}", '
            f'cnonce="5b1c2d3e", nc=00000001, qop=auth, uri="{uri}"'
        )

    def signs_in_as(self, username, domain="sip.example.org"):
        self.account, self.ha1 = f"{username}@{domain}", digest.ha1("SHA-256", username, domain, PASSWORD)


@pytest.fixture
def device(server):
    return Linphone(server)


def pushed(server):
    return server.messages[-1]["data"]["token"]


def test_an_account_by_push_is_made_linked_and_its_next_token_consumed(server, device):
    assert device.call("POST", "account_creation_tokens/send-by-push", PUSH) == (200, {})
    body = {"username": "linphone.54", "password": PASSWORD, "algorithm": "SHA-256", "domain": "sip.example.org"}
    body["account_creation_token"] = pushed(server)
    status, made = device.call("POST", "accounts/with-account-creation-token", body)
    assert (status, made["username"], made["domain"]) == (200, "linphone.54", "sip.example.org")
    assert (made["sip_uri"], made["blocked"]) == ("sip:linphone.54@sip.example.org", False)
    assert made["activated"] is False

    device.signs_in_as("linphone.54")
    status, own = device.call("GET", "accounts/me/provision", signed=True)
    path = f"/provisioning/{own['provisioning_token']}"
    phone = server.http.get(path, headers={"X-Linphone-Provisioning": "1", "Accept": "application/xml"})
    assert (status, phone.status_code) == (200, 200)
    assert device.call("GET", "accounts/me", signed=True)[1]["activated"] is True

    assert device.call("POST", "account_creation_tokens/send-by-push", PUSH) == (200, {})
    consumption = {"account_creation_token": pushed(server)}
    status, told = device.call("POST", "account_creation_tokens/consume", consumption, signed=True)
    expected = {"token": pushed(server), **PUSH, "used": True, "account_id": own["id"], "ip": "127.0.0.1"}
    assert (status, told | expected) == (200, told)
    assert told["user_agent"] == AGENT
    assert device.call("POST", "account_creation_tokens/consume", consumption, signed=True)[0] == 404

    assert device.call("POST", "accounts/me/phone/request", {"phone": PHONE}, signed=True) == (200, {})
    code = server.messages[-1]["code"]
    assert device.call("POST", "accounts/me/phone", {"code": "0000" if code != "0000" else "1111"}, signed=True)[0] in (
        403,
        422,
    )
    status, linked = device.call("POST", "accounts/me/phone", {"code": code}, signed=True)
    assert (status, linked["phone"]) == (200, PHONE)
    assert device.call("POST", "accounts/me/email/request", {"email": "l54@example.org"}, signed=True) == (200, {})
    status, linked = device.call("POST", "accounts/me/email", {"code": server.messages[-1]["code"]}, signed=True)
    assert (status, linked["email"]) == (200, "l54@example.org")
    assert device.call("GET", "accounts/me/devices", signed=True) == (200, {})


def test_a_recovery_by_push_opens_the_page_with_the_number(server, device):
    server.person("lost.phone", phone="+33612340002")
    target = {**PUSH, "pn_prid": "fN3xW:APA91b_recovery"}
    assert device.call("POST", "account_recovery_tokens/send-by-push", target) == (200, {})
    message = server.messages[-1]
    assert (message["kind"], list(message["data"])) == ("recovery.token", ["token"])
    status, told = device.call("POST", "account_recovery_tokens/send-by-push", target)
    assert (status, told) == (429, {"message": "Last token requested too recently"})

    browser = Visitor(server.url)
    page = browser.open(f"/recovery/phone/{message['data']['token']}?phone=%2B33612340002")
    assert (page.status_code, 'value="+33612340002"' in page.text) == (200, True)
    browser.send("/recover")
    server.run(server.services.codes.web_recovery.finished())
    page = browser.send("/recover/confirm", code=server.messages[-1]["code"])
    assert page.url.path == "/password"
    browser.close()


def test_the_request_token_tells_its_page_and_its_end(device):
    status, told = device.call("POST", "account_creation_request_tokens")
    assert status == 201
    assert told["validation_url"].endswith(told["token"])
    assert told.keys() == {"token", "validation_url", "expire_at"}


def test_what_is_wrong_is_read_field_by_field(server, device):
    status, told = device.call("POST", "account_recovery_tokens/send-by-push", {"pn_provider": "fcm"})
    assert (status, sorted(told["errors"])) == (422, ["pn_param", "pn_prid"])
    person = server.person("blocked.54", password=PASSWORD, blocked_at=server.clock.second())
    device.signs_in_as(person.account.username)
    assert device.call("POST", "account_creation_tokens/consume", {"account_creation_token": "a" * 13})[0] == 401
    assert device.call("GET", "accounts/me", signed=True) == (403, {"message": "Account blocked"})
