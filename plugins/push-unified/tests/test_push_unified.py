import asyncio
import dataclasses

import pytest

import flexiapi_push_unified
from flexiapi.plugin import Permanent, PushMessage, RecipientDeferred, Retryable, Unregistered
from flexiapi.testing import GARBAGE, RESET, SILENCE, BackendContract, Gateway, failure_of, reply, run_backend
from flexiapi_push_unified import UnifiedPush


def message(endpoint, provider="unifiedpush"):
    return PushMessage(provider, "org.example.phone", endpoint, {"token": "471100"})


class UnifiedContract(BackendContract):
    group, name = "flexiapi.push", "unified"
    busy, refused, gone = reply(503), reply(413), reply(404)
    deferred = reply(507, {"code": 50701, "http": 507, "error": "cannot publish to UnifiedPush topic"})

    def gateway(self):
        self.server = Gateway()
        # A host that is asked whether it lives.
        self.server.answer(reply(404), path="/")
        return self.server

    def message(self):
        return message(f"{self.server.url}/upf3aSx0?up=1")

    def settings(self, gateway):
        host = f"127.0.0.1:{gateway.port}"
        return {"hosts": [host], "allow_http": True, "access_tokens": {host: "tk_s3cret"}, "answer_seconds": 30}


class TestUnified(UnifiedContract):
    pass


class TestNtfy(UnifiedContract):
    busy, refused, gone = reply(429), reply(403), reply(410)
    deferred = reply(429, {"code": 42901, "http": 429, "error": "limit reached"}, headers={"retry-after": "60"})

    def message(self):
        return message(f"{self.server.url}/upf3aSx0", "ntfy")


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """A busy machine takes longer to say that it lives than the host of a push server."""
    monkeypatch.setattr(flexiapi_push_unified, "_SIGN_OF_LIFE_SECONDS", 60)


@pytest.fixture
def server():
    with Gateway() as gateway:
        gateway.answer(reply(404), path="/")
        yield gateway


def run(gateway, use, **settings):
    options = {"hosts": [f"127.0.0.1:{gateway.port}"], "allow_http": True, "answer_seconds": 60, **settings}
    return run_backend(UnifiedPush(UnifiedPush.Config.model_validate(options)), use)


def send(gateway, endpoint="/upf3aSx0?up=1", **settings):
    endpoint = gateway.url + endpoint if endpoint.startswith("/up") else endpoint
    return run(gateway, lambda backend: backend.send(message(endpoint)), **settings)


def failure(gateway, endpoint="/upf3aSx0?up=1", **settings):
    return failure_of(lambda: send(gateway, endpoint, **settings), "upf3aSx0")


def test_what_is_posted(server):
    server.answer(reply(200, {"id": "hwQ2YpKdmg", "event": "message"}))
    assert send(server, ttl_seconds=60).id == "hwQ2YpKdmg"
    (request,) = server.sends
    assert (request.method, request.target, request.json()) == ("POST", "/upf3aSx0?up=1", {"token": "471100"})
    assert (request.headers["ttl"], request.headers["urgency"]) == ("60", "high")
    assert "authorization" not in request.headers


def test_an_access_token_goes_to_its_host_only(server):
    with Gateway() as other:
        hosts = [f"127.0.0.1:{gateway.port}" for gateway in (server, other)]
        for gateway in (server, other):
            send(gateway, hosts=hosts, access_tokens={hosts[1]: "tk_s3cret"})
        assert "authorization" not in server.sends[0].headers
        assert other.sends[0].headers["authorization"] == "Bearer tk_s3cret"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://{host}:1/up",
        "http://localhost:{port}/up",
        "http://{host}.:{port}/up",
        "http://127.1:{port}/up",
        "http://2130706433:{port}/up",
        "http://ntfy.sh:{port}/up",
        "http://ntfy.sh@{host}:{port}/up",
        "http://{host}:{port}@ntfy.sh/up",
        "http://{host}:{port}/up#part",
        "http://{host}:{port}",
        "http://{host}:{port}/",
        "http://{host}:{port}?up",
        "http://{host}:{port}\\@ntfy.sh/up",
        "http://[::1]:{port}/up",
        "http:{host}:{port}/up",
        "//{host}:{port}/up",
        "ftp://{host}:{port}/up",
        "file:///etc/passwd",
        "http://[",
        "http://{host}:x/up",
        "http://{host}:{port}/u\r\np",
        "dA1b:APA91b",
        "",
    ],
)
def test_it_is_no_open_relay(server, endpoint):
    error = failure(server, endpoint.format(host="127.0.0.1", port=server.port))
    assert type(error) is Permanent
    assert not server.requests


def test_only_https_unless_configured(server):
    assert failure(server, allow_http=False).reason == "pn_prid is not an https endpoint"
    assert not server.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(server, status):
    with Gateway() as elsewhere:
        server.answer(reply(status, headers={"location": elsewhere.url + "/up"}))
        assert type(failure(server)) is Permanent
        assert not elsewhere.requests


@pytest.mark.parametrize("answer", [RESET, GARBAGE])
def test_broken_connections_are_the_endpoints_if_its_host_lives_and_heal(server, answer):
    async def two(backend):
        server.answer(answer, reply(201))
        with pytest.raises(RecipientDeferred, match="answers, but not for this endpoint") as caught:
            await backend.send(message(f"{server.url}/upf3aSx0"))
        assert caught.value.retry_after == 1
        await backend.send(message(f"{server.url}/upf3aSx0"))

    run(server, two)


def test_a_silent_server_holds_nobody_else(server):
    async def two(backend):
        server.answer(SILENCE, reply(201))
        silent = asyncio.create_task(backend.send(message(f"{server.url}/upf3aSx0")))
        await server.received()
        await backend.send(message(f"{server.url}/upf3aSx0"))
        silent.cancel()

    run(server, two)


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (reply(401), Permanent, "look at access_tokens"),
        (reply(404), Unregistered, "the endpoint is gone"),
        (reply(408), RecipientDeferred, "answers 408"),
        (reply(413), Permanent, "answers 413"),
        (reply(507), RecipientDeferred, "answers 507"),
        (reply(200, body="<html>"), None, None),
        (reply(200, ["a"]), None, None),
        (reply(204), None, None),
    ],
)
def test_odd_answers(server, answer, kind, reason):
    server.answer(answer)
    if kind is None:
        assert send(server).id is None
        return
    error = failure(server)
    assert type(error) is kind
    assert reason in error.reason


def test_retry_after_is_handed_on(server):
    server.answer(reply(429, headers={"retry-after": "17"}))
    assert failure(server).retry_after == 17


def test_tls_that_cannot_be_trusted():
    with Gateway(tls=True) as server:
        assert "is not trusted" in failure(server, allow_http=False).reason
        send(server, allow_http=False, ca_file=server.ca_file)
    with Gateway(tls=True, certificate_for="elsewhere.example.org") as server:
        assert "look at ca_file" in failure(server, allow_http=False, ca_file=server.ca_file).reason
        assert not server.requests


def test_check_names_the_host_that_does_not_answer(server):
    def check():
        run(server, lambda backend: backend.check())

    server.answer(reply(404), path="/")
    check()
    server.answer(reply(502), path="/")
    with pytest.raises(Retryable, match=f"127.0.0.1:{server.port} answers 502"):
        check()
    server.stop()
    with pytest.raises(Retryable, match=f"127.0.0.1:{server.port} cannot be reached"):
        check()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"hosts": []}, "at least 1 item"),
        ({"hosts": ["https://ntfy.sh"]}, "write a host name"),
        ({"hosts": ["*"]}, "write a host name"),
        ({"hosts": ["ntfy.sh"], "access_tokens": {"example.org": "tk"}}, "names example.org, which `hosts` does not"),
        ({"hosts": ["ntfy.sh"], "vapid_key_file": "vapid.pem"}, "both vapid_key_file and vapid_subject"),
        ({"hosts": ["ntfy.sh"], "vapid_subject": "https://example.org"}, "both vapid_key_file and vapid_subject"),
        ({"hosts": ["ntfy.sh"], "vapid_key_file": "vapid.pem", "vapid_subject": "admin@example.org"}, "vapid_subject"),
    ],
)
def test_settings_that_cannot_work(settings, reason):
    with pytest.raises(ValueError, match=reason):
        UnifiedPush.Config.model_validate(settings)


def test_nothing_that_was_sent_is_logged(server, caplog):
    server.answer(reply(200), reply(503))
    send(server)
    failure(server)
    assert "471100" not in caplog.text
    assert "upf3aSx0" not in caplog.text


def bearers(gateway):
    return [request.headers.get("authorization") for request in gateway.sends]


def with_token(gateway, **settings):
    return {"access_tokens": {f"127.0.0.1:{gateway.port}": "tk_s3cret"}, **settings}


@pytest.mark.parametrize(
    "endpoint",
    [
        "/v1/account/token",
        "/up/",
        "//up",
        "/up;x=1",
        "/up%2Ftrigger",
        "/up%00",
        "/upf3aSx0" + "x" * 60,
        "/upf3aSx0?title=Pay&click=https://example.org/&email=victim@example.org",
        "/upf3aSx0?up=1&email=victim@example.org",
        "/upf3aSx0?UP=1",
    ],
)
def test_the_access_token_goes_to_endpoints_only(server, endpoint):
    error = failure(server, server.url + endpoint, **with_token(server))
    assert type(error) is Permanent
    assert "look at token_paths" in error.reason
    assert not server.requests


@pytest.mark.parametrize("endpoint", ["/upf3aSx0", "/upf3aSx0?up=1", "/" + "x" * 64])
def test_the_access_token_goes_to_endpoints(server, endpoint):
    send(server, server.url + endpoint, **with_token(server))
    assert bearers(server) == ["Bearer tk_s3cret"]


def test_endpoints_of_other_servers_are_a_setting(server):
    settings = with_token(server, token_paths=r"/apps/uppush/push/[0-9a-f-]{36}")
    endpoint = "/apps/uppush/push/8c2f3c6e-6f6e-4a51-9f3e-0a2a3d0f7c11"
    send(server, server.url + endpoint, **settings)
    for other in ("/upf3aSx0", endpoint + "/x", "/x" + endpoint):
        assert "look at token_paths" in failure(server, server.url + other, **settings).reason
    assert bearers(server) == ["Bearer tk_s3cret"]


def test_without_an_access_token_endpoints_may_have_any_path(server):
    endpoint = "/index.php/apps/uppush/push/8c2f3c6e?token=a.b"
    send(server, server.url + endpoint)
    assert [request.target for request in server.sends] == [endpoint]
    assert bearers(server) == [None]


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize(
    "endpoint",
    [
        "/a/../../admin",
        "/..",
        "/./up",
        "/a/../up?up=1",
        "/a/..?up=1",
        "/%2e%2e/up",
        "/a/.%2E/up",
        "/a%2f..%2fup",
        "/a\\..\\up",
    ],
)
def test_dot_segments_are_refused(server, endpoint, token):
    settings = with_token(server, token_paths=".*") if token else {}
    error = failure(server, server.url + endpoint, **settings)
    assert (type(error), error.reason) == (Permanent, "pn_prid is not an endpoint")
    assert not server.requests


@pytest.mark.parametrize("credentials", ["user@", "user:secret@", ":secret@"])
def test_credentials_in_the_endpoint_are_refused(server, credentials):
    error = failure(server, f"http://{credentials}127.0.0.1:{server.port}/up")
    assert error.reason == "pn_prid is not an endpoint"
    assert not server.requests


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match="token_paths"):
        UnifiedPush.Config.model_validate({"hosts": ["ntfy.sh"], "token_paths": "("})


def test_priority_time_to_live_and_collapse_id_of_a_message(server):
    plain = message(f"{server.url}/upf3aSx0")
    for collapse_id in ("creation-token", "not a topic"):
        asked = dataclasses.replace(plain, priority="normal", time_to_live=60, collapse_id=collapse_id)
        run(server, lambda backend, asked=asked: backend.send(asked))
    first, second = (request.headers for request in server.sends)
    assert (first["ttl"], first["urgency"], first["topic"]) == ("60", "normal", "creation-token")
    assert "topic" not in second
