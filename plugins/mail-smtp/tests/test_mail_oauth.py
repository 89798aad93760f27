"""Sign-in by OAuth tokens, at a mail server and a token endpoint."""

import asyncio
from contextlib import suppress

import pytest
from pydantic import ValidationError

from flexiapi.plugin import MailMessage, Permanent, Retryable, Throttled
from flexiapi.testing import RESET, reply, run_backend
from flexiapi.testing.profiles import MailServer, TokenEndpoint
from flexiapi_mail_smtp import SmtpMail, tokens

MESSAGE = MailMessage("alice@example.org", "Hello", "471100\n")


@pytest.fixture
def endpoint():
    with TokenEndpoint() as started:
        yield started


@pytest.fixture
def server(endpoint):
    with MailServer(encryption="starttls", access_tokens=endpoint) as started:
        yield started


def backend_of(server, endpoint, **more):
    settings = {
        "host": server.host,
        "port": server.port,
        "ca_file": server.ca_file,
        "username": "accounts@example.org",
        "token_url": endpoint.token_url,
        "client_id": "client",
        "client_secret": "s3cret",
        "probe_seconds": 60,
    }
    return SmtpMail(SmtpMail.Config.model_validate({**settings, **more}))


def failure(server, endpoint, **more):
    with pytest.raises((Permanent, Retryable)) as caught:
        run_backend(backend_of(server, endpoint, **more), lambda backend: backend.send(MESSAGE))
    assert "s3cret" not in caught.value.reason
    assert "alice" not in caught.value.reason
    return caught.value


def test_client_credentials_sign_in(server, endpoint):
    scope = "https://outlook.office365.com/.default"
    run_backend(backend_of(server, endpoint, scope=scope), lambda backend: backend.send(MESSAGE))
    assert server.delivered["alice@example.org"][0].user == "accounts@example.org"
    assert endpoint.requests[0].form() == {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_secret": "s3cret",
        "scope": scope,
    }


def test_a_refresh_token_signs_in(server, endpoint):
    endpoint.refresh_token = "refresh"
    run_backend(backend_of(server, endpoint, refresh_token="refresh"), lambda backend: backend.send(MESSAGE))
    assert len(server.delivered["alice@example.org"]) == 1
    assert endpoint.requests[0].form()["grant_type"] == "refresh_token"


def test_callers_share_one_token(server, endpoint):
    async def whole(backend):
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(10)))
        await backend.send(MESSAGE)

    run_backend(backend_of(server, endpoint), whole)
    assert server.connections > 1
    assert len(endpoint.requests) == 1


def test_check_signs_in_and_sends_nothing(server, endpoint):
    async def whole(backend):
        await backend.check()
        await backend.send(MESSAGE)
        # A connection that is signed in already would prove nothing.
        endpoint.revoke()
        endpoint.client_secret = "another"
        with pytest.raises(Permanent, match="client_secret"):
            await backend.check()

    run_backend(backend_of(server, endpoint), whole)
    assert len(server.sends) == 1


def test_a_token_that_is_refused_is_dropped_once(server, endpoint):
    async def whole(backend):
        await backend.check()
        endpoint.revoke()
        await backend.send(MESSAGE)

    run_backend(backend_of(server, endpoint), whole)
    assert (len(server.sends), len(endpoint.requests)) == (1, 2)


def test_a_server_that_refuses_new_tokens_is_not_asked_over_and_over(endpoint):
    async def whole(backend):
        for _ in range(3):
            with pytest.raises(Permanent, match=r"refuses username and access token: answer 535 5\.7\.3"):
                await backend.send(MESSAGE)

    with MailServer(encryption="starttls", access_tokens=set()) as server:
        run_backend(backend_of(server, endpoint), whole)
        assert server.connections == 3
    assert len(endpoint.requests) == 1


def test_a_token_is_renewed_before_its_end_and_the_old_one_serves_while_that_fails(server, endpoint, monkeypatch):
    # Every token is due for renewal at once, and none ends.
    monkeypatch.setattr(tokens, "_SHARE_KEPT", 0.0)
    monkeypatch.setattr(tokens, "_LONGEST_MARGIN", 3600.0)
    monkeypatch.setattr(tokens, "_PAUSE", 0.0)

    async def asked(count):
        async with asyncio.timeout(60):
            while len(endpoint.requests) < count:  # noqa: ASYNC110 - in another thread
                await asyncio.sleep(0.01)

    async def whole(backend):
        await backend.check()
        endpoint.fail(reply(503))
        await backend.check()
        await asked(2)
        await backend.check()
        endpoint.recover()
        await backend.check()
        async with asyncio.timeout(60):
            while len(endpoint.issued) < 2:
                await asyncio.sleep(0.01)
                await backend.check()

    run_backend(backend_of(server, endpoint), whole)


def test_a_token_that_has_ended_is_not_used(server, endpoint):
    endpoint.lifetime = 0

    async def whole(backend):
        await backend.check()
        endpoint.fail(reply(503))
        with pytest.raises(Retryable, match=r"gives no access token \(503\)"):
            await backend.check()

    run_backend(backend_of(server, endpoint), whole)


def test_a_caller_that_goes_does_not_stop_the_renewal_of_others(server, endpoint):
    async def whole(backend):
        endpoint.stall(0.3)
        first, second = (asyncio.create_task(backend.check()) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        await second

    run_backend(backend_of(server, endpoint), whole)
    assert len(endpoint.requests) == 1


def test_a_silent_token_server_is_given_up_and_used_again(server, endpoint, monkeypatch):
    monkeypatch.setattr(tokens, "_LONGEST_REQUEST", 0.3)

    async def whole(backend):
        endpoint.stall(600)
        with pytest.raises(Retryable, match="the token server cannot be reached"):
            await backend.check()
        endpoint.stall(0)
        # A machine that stands still looks like a server that does.
        for _ in range(20):
            with suppress(Retryable):
                await backend.check()
                break

    run_backend(backend_of(server, endpoint), whole)
    assert len(endpoint.issued) >= 1


def test_a_later_refresh_token_is_used_and_the_configured_one_if_it_is_lost(server, endpoint):
    endpoint.refresh_token, endpoint.rotates, endpoint.lifetime = "first", True, 0

    async def whole(backend):
        await backend.check()
        await backend.check()
        endpoint.refresh_token = "first"
        await backend.check()

    run_backend(backend_of(server, endpoint, refresh_token="first"), whole)
    assert [one.form()["refresh_token"] for one in endpoint.requests] == ["first", "refresh-1", "refresh-2", "first"]


REFUSALS = [
    (
        reply(401, {"error": "invalid_client", "error_codes": [7000222]}),
        Permanent,
        r"401, invalid_client, AADSTS7000222",
    ),
    (reply(401, {"error": "invalid_client"}), Permanent, "look at client_id and client_secret, which may have expired"),
    (reply(400, {"error": "invalid_grant", "error_description": "s3cret"}), Permanent, "refresh_token has expired"),
    (reply(400, {"error": "unauthorized_client"}), Permanent, "whether the application may use this grant"),
    (reply(400, {"error": "invalid_scope"}), Permanent, "look at scope"),
    (reply(404, body="<html>alice"), Permanent, "look at token_url"),
    (reply(400, {"error": "temporarily_unavailable"}), Retryable, "temporarily_unavailable"),
    (reply(503), Retryable, "503"),
    (reply(429, headers={"retry-after": "7"}), Throttled, "429"),
    (reply(200, {"token_type": "Bearer"}), Retryable, "without an access token"),
    (reply(200, {"access_token": "a\r\nRCPT TO:<eve@example.org>"}), Retryable, "without an access token"),
    (reply(200, ["s3cret"]), Retryable, "without an access token"),
    (RESET, Retryable, "the token server cannot be reached"),
    (reply(302, headers={"location": "http://127.0.0.1:1/"}), Permanent, "302"),
]


@pytest.mark.parametrize(("answer", "kind", "told"), REFUSALS)
def test_a_refusal_of_the_token_server_says_what_to_fix(server, endpoint, answer, kind, told):
    endpoint.fail(answer)
    error = failure(server, endpoint)
    assert type(error) is kind
    assert told in error.reason
    assert getattr(error, "retry_after", None) == (7 if kind is Throttled else None)
    assert not server.connections


def test_a_server_without_oauth_is_told(endpoint):
    with MailServer(encryption="starttls", user="a", password="b") as server:
        assert "does not offer what is configured" in failure(server, endpoint).reason


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"client_id": None}, "token_url needs username, client_id"),
        ({"client_secret": None}, "client_secret or refresh_token"),
        ({"username": None}, "token_url needs username"),
        ({"password": "s3cret"}, "remove password"),
        ({"token_url": "http://login.example.org/token"}, "must begin with https://"),
        ({"token_url": None}, "of no use without token_url"),
    ],
)
def test_settings_that_cannot_work(settings, fault):
    right = {"host": "a", "username": "b", "token_url": "https://a.example/", "client_id": "c", "client_secret": "d"}
    with pytest.raises(ValidationError, match=fault):
        SmtpMail.Config.model_validate({**right, **settings})
