import asyncio
import dataclasses
import json
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flexiapi.plugin import Permanent, PushMessage, RecipientDeferred, Retryable, Throttled, Unregistered
from flexiapi.testing import GARBAGE, RESET, SILENCE, BackendContract, failure_of, reply, run_backend
from flexiapi.testing.profiles import Fcm
from flexiapi_push_fcm import FcmPush

NUMBER, TOKEN = "929724111839", "dA1b-x_y:APA91b"
MESSAGE = PushMessage("fcm", NUMBER, TOKEN, {"token": "471100"})
ACCEPTED = reply(200, {"name": "projects/example/messages/0:1"})
refusal = Fcm.refusal


def other_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class FcmContract(BackendContract):
    group, name = "flexiapi.push", "fcm"
    busy = refusal(503, "UNAVAILABLE", "UNAVAILABLE")
    refused = refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
    gone = refusal(404, "NOT_FOUND", "UNREGISTERED")
    throttled = refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
    deferred = refusal(
        429,
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXCEEDED",
        "Quota exceeded.",
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"subject": f"device:{TOKEN}"}]},
    )

    def message(self):
        return MESSAGE

    def gateway(self):
        return Fcm()

    def settings(self, gateway):
        return {"service_account_file": gateway.service_account(self.data_path), "endpoint": gateway.url}


class TestFcm(FcmContract):
    pass


def run(gateway, use, **settings):
    return run_backend(FcmPush(FcmPush.Config.model_validate({"endpoint": gateway.url, **settings})), use)


@pytest.fixture
def fcm():
    with Fcm() as gateway:
        yield gateway


@pytest.fixture
def account(fcm, tmp_path):
    return fcm.service_account(tmp_path)


def send(gateway, account, **settings):
    return run(gateway, lambda backend: backend.send(MESSAGE), service_account_file=account, **settings)


def failure(gateway, account, **settings):
    return failure_of(lambda: send(gateway, account, **settings), TOKEN)


def test_what_is_posted(fcm, account):
    assert send(fcm, account, ttl_seconds=60).id == "projects/example/messages/0:1"
    (request,) = fcm.sends
    assert (request.method, request.path) == ("POST", "/v1/projects/example/messages:send")
    assert request.headers["authorization"] == f"Bearer {fcm.issued[0]}"
    message = request.json()["message"]
    assert request.json()["validate_only"] is False
    assert set(message) == {"token", "data", "android"}
    assert (message["token"], message["android"]) == (TOKEN, {"priority": "high", "ttl": "60s"})
    assert json.loads(message["data"].pop("custom-payload")) == {"token": "471100"}
    names = "call-id loc-key loc-args from-uri display-name sip-from uuid send-time"
    assert set(message["data"]) == set(names.split())
    assert all(isinstance(value, str) and not set(value) & set('{}"') for value in message["data"].values())


def test_the_project_is_chosen_by_the_number(fcm, account, tmp_path):
    async def each(backend):
        for number in (NUMBER, "118392972411"):
            await backend.send(PushMessage("fcm", number, TOKEN, {}))
        with pytest.raises(Permanent, match="no project has the number 555: add it"):
            await backend.send(PushMessage("fcm", "555", TOKEN, {}))

    run(fcm, each, projects={NUMBER: account, "118392972411": fcm.service_account(tmp_path, "second")})
    assert [request.path.split("/")[3] for request in fcm.sends] == ["example", "second"]
    assert len(fcm.issued) == 2


def test_one_access_token_serves_all_until_it_nears_its_end(fcm, account):
    async def many(backend):
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(20)))
        await backend.send(MESSAGE)

    run(fcm, many, service_account_file=account)
    assert len(fcm.issued) == 1
    fcm.answer(ACCEPTED)
    fcm.answer(reply(200, {"access_token": "short", "expires_in": 0}), fcm.grant, path="/token")

    async def two(backend):
        await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    run(fcm, two, service_account_file=account)
    assert [request.headers["authorization"] for request in fcm.sends[-2:]] == ["Bearer short", "Bearer ya29.1"]


def test_a_caller_that_leaves_does_not_take_the_token_from_the_others(fcm, account):
    may_answer = threading.Event()

    def slow(_):
        may_answer.wait(30)
        fcm.issued.append("slow")
        return reply(200, {"access_token": "slow", "expires_in": 3599})

    fcm.answer(slow, path="/token")

    async def two(backend):
        leaves, stays = (asyncio.create_task(backend.send(MESSAGE)) for _ in range(2))
        while not fcm.requests:  # noqa: ASYNC110 - they come in on the loop of another thread
            await asyncio.sleep(0.01)
        leaves.cancel()
        await asyncio.wait([leaves])
        may_answer.set()
        await stays

    run(fcm, two, service_account_file=account)
    assert [request.path for request in fcm.requests].count("/token") == 1
    assert len(fcm.sends) == 1


def test_an_access_token_that_is_not_taken_is_replaced(fcm, account):
    fcm.answer(refusal(401, "UNAUTHENTICATED"), fcm.process)

    async def two(backend):
        with pytest.raises(Retryable, match=r"does not take the access token \(UNAUTHENTICATED\)"):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    run(fcm, two, service_account_file=account)
    assert [request.headers["authorization"] for request in fcm.sends] == ["Bearer ya29.0", "Bearer ya29.1"]


def test_a_token_of_another_kind_of_device_is_no_fault_of_ours(fcm, account):
    fcm.answer(refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), fcm.process)

    async def two(backend):
        with pytest.raises(Permanent, match="no Android phone"):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    run(fcm, two, service_account_file=account)
    # Callers choose the token, so it must not cost an access token either.
    assert fcm.issued == ["ya29.0"]


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (
            refusal(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
            Permanent,
            "refuses this project: look at",
        ),
        (reply(408), Retryable, "answers 408"),
        (refusal(404, "NOT_FOUND"), Permanent, "does not know the project: look at project_id"),
        (reply(404, body="<html>"), Permanent, "does not know the project"),
        (reply(413), Permanent, "answers 413"),
        (reply(302, headers={"location": "http://127.0.0.1:9/"}), Permanent, "answers 302"),
        (reply(200, body="<html>ok</html>"), Retryable, "is not JSON"),
        (reply(200), Retryable, "answers 200"),
        (RESET, Retryable, "cannot be reached, or broke off"),
        (GARBAGE, Retryable, "cannot be reached, or broke off"),
    ],
)
def test_odd_answers(fcm, account, answer, kind, reason):
    fcm.answer(answer)
    error = failure(fcm, account)
    assert type(error) is kind
    assert reason in error.reason


@pytest.mark.parametrize(("value", "seconds"), [("17", 17), ("Fri, 31 Dec 1999 23:59:59 GMT", 0), ("soon", None)])
def test_retry_after_is_handed_on(fcm, account, value, seconds):
    fcm.answer(
        refusal(429, "RESOURCE_EXHAUSTED", message=f"The token {TOKEN} is not good.", headers={"retry-after": value})
    )
    assert failure(fcm, account).retry_after == seconds


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(503), "token endpoint answers 503"),
        (reply(429), "token endpoint answers 429"),
        (reply(200, body="<html>"), "does not answer as it should"),
        (reply(200, {"hello": 1}), "does not answer as it should"),
        (RESET, "cannot be reached"),
        (GARBAGE, "cannot be reached"),
    ],
)
def test_trouble_at_the_token_endpoint_is_retryable_and_heals(fcm, account, answer, reason):
    fcm.answer(answer, fcm.grant, path="/token")

    async def two(backend):
        with pytest.raises(Retryable, match=reason):
            await backend.send(MESSAGE)
        assert len(fcm.requests) == 1, "the server tries again, not google-auth"
        await backend.send(MESSAGE)

    run(fcm, two, service_account_file=account)


def test_a_silent_token_endpoint_does_not_hold_the_loop(fcm, account):
    fcm.answer(SILENCE, path="/token")

    async def timely(backend):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await backend.send(MESSAGE)
        # Ends the request that the thread waits for.
        fcm.stop()

    run(fcm, timely, service_account_file=account)


def test_a_key_that_was_revoked(fcm, tmp_path):
    error = failure(fcm, fcm.service_account(tmp_path, private_key=other_key()))
    assert isinstance(error, Permanent)
    assert "(invalid_grant): look at its file" in error.reason
    assert not fcm.sends


def test_tls_that_cannot_be_trusted(tmp_path):
    with Fcm(tls=True) as fcm:
        account = fcm.service_account(tmp_path)
        assert "certificate of the token endpoint is not trusted" in failure(fcm, account).reason
        send(fcm, account, ca_file=fcm.ca_file)
    with Fcm(tls=True, certificate_for="elsewhere.example.org") as fcm:
        account = fcm.service_account(tmp_path)
        assert "look at ca_file" in failure(fcm, account, ca_file=fcm.ca_file).reason
        assert not fcm.requests


def test_check_asks_fcm_to_validate_and_sends_nothing(fcm, account):
    def check():
        run(fcm, lambda backend: backend.check(), service_account_file=account)

    fcm.answer(refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"))
    check()
    assert fcm.sends[0].json()["validate_only"] is True
    fcm.answer(refusal(403, "PERMISSION_DENIED"))
    with pytest.raises(Permanent, match=r"whether its FCM API is enabled \(PERMISSION_DENIED\)"):
        check()
    fcm.answer(refusal(404, "NOT_FOUND"))
    with pytest.raises(Permanent, match="project_id in the service account file"):
        check()


def test_settings_that_cannot_work(fcm, tmp_path):
    with pytest.raises(ValueError, match="set service_account_file or projects"):
        FcmPush.Config.model_validate({})
    (tmp_path / "empty.json").write_text("{}")
    with pytest.raises(ValueError, match=r"is not a service account file .* Generate"):
        send(fcm, tmp_path / "empty.json")
    with pytest.raises(FileNotFoundError):
        send(fcm, tmp_path / "missing.json")
    broken = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    with pytest.raises(ValueError, match="is not a service account file") as caught:
        send(fcm, fcm.service_account(tmp_path, private_key=broken))
    assert "c2VjcmV0" not in str(caught.value)


def test_title_priority_time_to_live_and_collapse_id_of_a_message(fcm, account):
    options = {"title": "Hello", "priority": "normal", "time_to_live": 60, "collapse_id": "creation-token"}
    message = dataclasses.replace(MESSAGE, **options)
    run(fcm, lambda backend: backend.send(message), service_account_file=account, ttl_seconds=3600)
    run(fcm, lambda backend: backend.send(message), service_account_file=account, ttl_seconds=30)
    first, second = (request.json()["message"] for request in fcm.sends)
    assert first["notification"]["title"] == "Hello"
    assert first["android"] == {"priority": "normal", "ttl": "60s", "collapse_key": "creation-token"}
    assert second["android"]["ttl"] == "30s"


def test_a_call_has_its_call_id_and_says_that_it_is_one(fcm, account):
    call = dataclasses.replace(MESSAGE, purpose="call", call_id="0PqT~VdWxy@192.0.2.7", time_to_live=30)
    run(fcm, lambda backend: backend.send(call), service_account_file=account)
    run(fcm, lambda backend: backend.send(dataclasses.replace(call, purpose="message")), service_account_file=account)
    first, second = (request.json()["message"] for request in fcm.sends)
    assert first["android"] == {"priority": "high", "ttl": "30s"}
    assert [one["data"]["loc-key"] for one in (first, second)] == ["IC_MSG", "IM_MSG"]
    assert first["data"]["call-id"] == second["data"]["call-id"] == "0PqT~VdWxy@192.0.2.7"


def test_only_the_quota_of_the_project_concerns_other_devices(fcm, account):
    fcm.flooded, fcm.dead, fcm.quota = {TOKEN}, {"gone:1"}, 1

    async def each(backend):
        with pytest.raises(RecipientDeferred, match=r"no more messages for this device now \(QUOTA_EXCEEDED\)") as one:
            await backend.send(MESSAGE)
        assert TOKEN not in one.value.reason
        with pytest.raises(Unregistered):
            await backend.send(dataclasses.replace(MESSAGE, prid="gone:1"))
        await backend.send(dataclasses.replace(MESSAGE, prid="other:1"))
        with pytest.raises(Throttled, match=r"FCM answers 429 \(RESOURCE_EXHAUSTED\)") as all_of_them:
            await backend.send(dataclasses.replace(MESSAGE, prid="other:2"))
        assert all_of_them.value.retry_after is None

    run(fcm, each, service_account_file=account)
    assert fcm.delivered == {"other:1": 1}


def test_bursts_open_no_more_connections_than_are_declared(fcm, account):
    async def bursts(backend):
        for burst in range(3):
            messages = [dataclasses.replace(MESSAGE, prid=f"device:{burst}-{number}") for number in range(40)]
            await asyncio.gather(*(backend.send(message) for message in messages))

    run(fcm, bursts, service_account_file=account, concurrency=40)
    assert len(fcm.delivered) == fcm.delivered.total() == 120
    # One more for the access token.
    assert fcm.connections <= 41


def renewals(fcm):
    return [request.path for request in fcm.requests].count("/token")


async def renewal(fcm, count):
    while renewals(fcm) < count:  # noqa: ASYNC110 - they come in on the loop of another thread
        await asyncio.sleep(0.01)


def test_a_token_that_lives_is_used_while_its_renewal_fails(fcm, account):
    # google-auth renews what lives for less than some four minutes.
    fcm.token_seconds = 200
    fcm.answer(fcm.grant, reply(503), path="/token")

    async def several(backend):
        token = backend._default._token
        await backend.send(MESSAGE)
        token._paused_until = 0
        for _ in range(5):
            await backend.send(MESSAGE)
        await token.renewed()
        for _ in range(5):
            await backend.send(MESSAGE)
        assert renewals(fcm) == 2, "not one for each message"
        fcm.answer(fcm.grant, path="/token")
        token._paused_until = 0
        await backend.send(MESSAGE)
        await token.renewed()
        await backend.send(MESSAGE)

    run(fcm, several, service_account_file=account)
    used = [request.headers["authorization"] for request in fcm.sends]
    assert used == ["Bearer ya29.0"] * 12 + ["Bearer ya29.1"]


def test_a_silent_token_endpoint_holds_no_message_while_the_token_lives(fcm, account):
    fcm.token_seconds = 200
    fcm.answer(fcm.grant, SILENCE, path="/token")

    async def three(backend):
        await backend.send(MESSAGE)
        backend._default._token._paused_until = 0
        await backend.send(MESSAGE)
        await renewal(fcm, 2)
        await backend.send(MESSAGE)
        # Ends the request that the thread waits for.
        fcm.stop()

    run(fcm, three, service_account_file=account)
    assert fcm.delivered == {TOKEN: 3}


def test_projects_have_lanes_of_their_own():
    def lane(number, **settings):
        return FcmPush(FcmPush.Config.model_validate(settings)).lane(PushMessage("fcm", number, TOKEN, {}))

    several = {"projects": {NUMBER: "first.json"}, "service_account_file": "rest.json"}
    assert [lane(number, **several) for number in (NUMBER, "1", "2")] == [NUMBER, "", ""]
    assert lane(NUMBER, service_account_file="one.json") == lane(NUMBER, projects={NUMBER: "one.json"}) == ""
