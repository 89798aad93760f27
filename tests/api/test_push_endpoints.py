"""Sign-up on phones without Google's or Apple's services: a creation token by UnifiedPush and ntfy."""

import pytest

from flexiapi.testing import Gateway, reply


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


def test_a_server_that_was_down_gets_the_next(server, http, push_server):
    push_server.answer(reply(503), reply(200))
    assert ask(http, "unifiedpush", push_server.url + "/later").status_code == 503
    assert ask(http, "unifiedpush", push_server.url + "/later").status_code == 200


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
