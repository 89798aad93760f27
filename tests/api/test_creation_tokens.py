"""Sign-up on phones without Google's or Apple's services: a creation token by UnifiedPush and ntfy."""

import asyncio
import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from flexiapi.testing import Gateway, reply
from flexiapi.testing.profiles import WebPushReceiver


@pytest.fixture(scope="module")
def push_server():
    with Gateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def configure(push_server):
    return {
        "push": {"unified": {"backend": "unified", "hosts": [f"127.0.0.1:{push_server.port}"], "allow_http": True}},
        "delivery": {"tries": 1},
    }


def ask(http, provider, prid, **more):
    push = {"pn_provider": provider, "pn_param": "org.example.phone", "pn_prid": prid, **more}
    return http.post("/api/account_creation_tokens/send-by-push", json=push)


def test_the_token_that_an_endpoint_receives_creates_an_account(server, http, push_server):
    for provider, path in [("unifiedpush", "/upf3aSx0-_?up=1&x=~y"), ("ntfy", "/topic")]:
        push_server.sends.clear()
        assert ask(http, provider, push_server.url + path).json() == {}
        (request,) = push_server.sends
        assert request.target == path
        body = {
            "username": f"alice.{provider}",
            "password": "correct-horse",
            "algorithm": "SHA-256",
            "account_creation_token": request.json()["token"],
        }
        assert http.post("/api/accounts/with-account-creation-token", json=body).status_code == 200


def test_what_is_no_endpoint_of_a_known_server_is_refused(server, http, push_server):
    push_server.sends.clear()
    for prid in ("--prefix=/tmp", "https://ntfy.sh/a b", "https://ntfy.sh/a\r\nb", "https://user@ntfy.sh/up"):
        assert "pn_prid" in ask(http, "unifiedpush", prid).json()["errors"]
    assert ask(http, "unifiedpush", f"http://localhost:{push_server.port}/up").status_code == 503
    assert not push_server.sends


def test_an_endpoint_of_a_thousand_characters_gets_its_token_and_a_second_one_is_refused(http, push_server):
    push_server.answer(reply(201))
    endpoint = f"{push_server.url}/wpush/v2/".ljust(1000, "x")
    assert ask(http, "unifiedpush", endpoint).json() == {}
    assert ask(http, "unifiedpush", endpoint).status_code == 403
    assert ask(http, "unifiedpush", endpoint[:-1] + "y").json() == {}
    assert "pn_prid" in ask(http, "unifiedpush", endpoint + "x").json()["errors"]


def test_an_app_that_sends_its_keys_gets_a_token_that_only_it_can_read(http, push_server):
    push_server.answer(reply(201))
    push_server.sends.clear()
    app = WebPushReceiver(ec.generate_private_key(ec.SECP256R1()), b"authentication:)")
    assert ask(http, "unifiedpush", f"{push_server.url}/up1", pn_param=app.param).json() == {}
    assert list(json.loads(app.read(push_server.sends[0].body))) == ["token"]
    assert ask(http, "unifiedpush", f"{push_server.url}/up2", pn_param=app.param[:-1]).status_code == 503
    assert len(push_server.sends) == 1


@pytest.mark.parametrize("param", ["a?b", "a&b", "-a", "a b", "a" * 256])
def test_only_the_endpoint_may_have_a_query(http, push_server, param):
    answer = ask(http, "unifiedpush", f"{push_server.url}/up?a=b&c=d", pn_param=param)
    assert list(answer.json()["errors"]) == ["pn_param"]


def test_a_server_that_was_down_gets_the_next(server, http, push_server):
    push_server.answer(reply(503), reply(200))
    assert ask(http, "unifiedpush", push_server.url + "/later").status_code == 503
    assert ask(http, "unifiedpush", push_server.url + "/later").status_code == 200


def test_a_device_that_waits_is_refused_before_the_failure_of_a_push_is_told(http, push_server):
    push_server.answer(reply(200), reply(503))
    path = push_server.url + "/waits"
    assert ask(http, "unifiedpush", path).status_code == 200
    for _ in range(2):
        assert ask(http, "unifiedpush", path).status_code == 403
    assert ask(http, "unifiedpush", push_server.url + "/another").status_code == 503


def records(server):
    async def found():
        return await server.store._database["push_devices"].find({}, {"_id": 0}).to_list(None)

    return server.run(found())


def test_who_got_nothing_leaves_no_record_and_who_got_a_token_is_known_for_ever(server, http, push_server):
    push_server.answer(reply(404))
    assert ask(http, "unifiedpush", push_server.url + "/invented").status_code == 503
    assert records(server) == []
    push_server.answer(reply(200), reply(404))
    assert ask(http, "unifiedpush", push_server.url + "/phone").status_code == 200
    server.later(hours=2)
    assert ask(http, "unifiedpush", push_server.url + "/phone").status_code == 503
    assert records(server) == [{"tokens": 1}]


class TestTheNextToken:
    """403 while a token that was sent within the last hour can still be used."""

    @pytest.fixture(autouse=True)
    def _accepting(self, push_server):
        push_server.answer(reply(200))

    def sign_up(self, http, token, username):
        body = {"username": username, "password": "correct-horse", "algorithm": "SHA-256"}
        path = "/api/accounts/with-account-creation-token"
        return http.post(path, json=body | {"account_creation_token": token}).status_code

    def token(self, http, push_server, path):
        push_server.sends.clear()
        assert ask(http, "unifiedpush", push_server.url + path).status_code == 200
        return push_server.sends[-1].json()["token"]

    def test_comes_when_the_last_was_used(self, http, push_server):
        assert self.sign_up(http, self.token(http, push_server, "/used"), "bob.builder") == 200
        self.token(http, push_server, "/used")
        assert ask(http, "unifiedpush", push_server.url + "/used").status_code == 403

    def test_does_not_come_when_an_older_one_was_used(self, server, http, push_server):
        older = self.token(http, push_server, "/older")
        server.later(hours=2)
        self.token(http, push_server, "/older")
        assert self.sign_up(http, older, "carol.jones") == 200
        assert ask(http, "unifiedpush", push_server.url + "/older").status_code == 403

    def test_does_not_come_when_the_last_was_given_back(self, server, http, push_server):
        token = self.token(http, push_server, "/returned")
        assert server.run(server.store.creation_tokens.consume(token, server.clock.now(), server.actor))
        server.run(server.store.creation_tokens.give_back(token, server.actor))
        assert ask(http, "unifiedpush", push_server.url + "/returned").status_code == 403

    def test_comes_once_to_fifty_that_ask_at_once(self, server, http, push_server):
        push_server.sends.clear()
        prid = push_server.url + "/parallel"
        push = {"pn_provider": "unifiedpush", "pn_param": "org.example.phone", "pn_prid": prid}

        async def at_once():
            async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
                path = "/api/account_creation_tokens/send-by-push"
                return await asyncio.gather(*(client.post(path, json=push) for _ in range(50)))

        for _ in range(2):
            statuses = sorted(answer.status_code for answer in asyncio.run(at_once()))
            assert statuses == [200] + [403] * 49
            server.later(hours=2)
        assert len(push_server.sends) == 2
