"""Push notifications that wake phones, as Flexisip asks for them, through real providers on loopback."""

import asyncio
import secrets
from contextlib import ExitStack

import httpx
import pytest

from flexiapi.services.calls import pushes
from flexiapi.testing import reply
from flexiapi.testing.profiles import Apns, Fcm
from tests.kit.server import serving

PATH = "/api/push_notification"
AT_ONCE = 50


@pytest.fixture(scope="module")
def providers(tmp_path_factory):
    """FCM and APNs, and the settings of backends for them."""
    folder = tmp_path_factory.mktemp("providers")
    with Fcm() as fcm, Apns() as apns:
        android = {"backend": "fcm", "endpoint": fcm.url, "service_account_file": str(fcm.service_account(folder))}
        signed = {name: str(value) for name, value in apns.sign_in(folder).items()}
        iphone = {"backend": "apns", "url": apns.url, "ca_file": str(apns.ca_file), "sandbox": False, **signed}
        yield fcm, apns, {"push": {"android": android, "iphone": iphone}}


@pytest.fixture(scope="module")
def server(providers, tmp_path_factory, mongod_uri):
    with ExitStack() as stack:
        yield stack.enter_context(serving(providers[2], tmp_path_factory.mktemp("pushing"), mongod_uri))


@pytest.fixture(scope="module")
def flexisip(server):
    return server.named_key("flexisip")


@pytest.fixture
def fcm(providers):
    return providers[0]


@pytest.fixture
def apns(providers):
    return providers[1]


def android(**values):
    device = {"pn_provider": "fcm", "pn_param": "929724111839", "pn_prid": f"{secrets.token_hex(8)}:APA91b"}
    return {**device, "type": "call", "call_id": f"{secrets.token_hex(5)}~VdWxy@192.0.2.7", **values}


def sent_to(fcm, body):
    return [one for one in (request.json() for request in fcm.sends) if one["message"]["token"] == body["pn_prid"]]


def test_a_call_wakes_an_android_phone_at_once_and_for_seconds(http, flexisip, fcm):
    body = android()
    answer = http.post(PATH, headers=flexisip, json=body)
    assert (answer.status_code, answer.json()) == (200, {})
    (sent,) = sent_to(fcm, body)
    assert sent["message"]["android"]["priority"] == "high"
    assert int(sent["message"]["android"]["ttl"].removesuffix("s")) <= 30
    assert sent["message"]["data"]["call-id"] == body["call_id"]


@pytest.mark.parametrize(("kind", "service"), [("call", "voip"), ("message", "remote"), ("background", "remote")])
def test_of_the_two_tokens_of_an_iphone_the_right_one_is_taken(http, flexisip, apns, kind, service):
    tokens = {"voip": secrets.token_hex(32), "remote": secrets.token_hex(32)}
    body = {
        "pn_provider": "apns",
        "pn_param": "ABCD1234EF.org.linphone.phone.voip&remote",
        "pn_prid": f"{tokens['voip']}:voip&{tokens['remote']}:remote",
        "type": kind,
        "call_id": None,
    }
    assert http.post(PATH, headers=flexisip, json=body).status_code == 200
    (sent,) = [one for one in apns.sends if one.path.rpartition("/")[2] in tokens.values()]
    assert sent.path == f"/3/device/{tokens[service]}"
    topic = "org.linphone.phone.voip" if service == "voip" else "org.linphone.phone"
    assert sent.headers["apns-topic"] == topic
    assert sent.headers["apns-priority"] == ("5" if kind == "background" else "10")


def test_of_fifty_pushes_for_one_call_at_once_one_is_sent(server, flexisip, fcm):
    body = android()

    async def all_at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=flexisip) as client:
            return await asyncio.gather(*(client.post(PATH, json=body) for _ in range(AT_ONCE)))

    assert {answer.status_code for answer in asyncio.run(all_at_once())} == {200}
    assert len(sent_to(fcm, body)) == 1


def test_another_call_another_device_and_a_later_time_are_sent(server, http, flexisip, fcm):
    body = android()
    others = [{**body, "call_id": "other@192.0.2.7"}, android(call_id=body["call_id"])]
    for one in (body, *others):
        assert http.post(PATH, headers=flexisip, json=one).status_code == 200
    server.later(seconds=5)
    http.post(PATH, headers=flexisip, json=body)
    assert [len(sent_to(fcm, body)), len(sent_to(fcm, others[1]))] == [3, 1]


def test_pushes_without_a_call_id_are_all_sent(http, flexisip, fcm):
    body = android(type="message", call_id=None)
    for _ in range(2):
        http.post(PATH, headers=flexisip, json=body)
    assert len(sent_to(fcm, body)) == 2


def test_a_device_that_the_provider_no_longer_knows_is_a_503_and_is_counted(http, flexisip, fcm):
    body = android()
    fcm.dead.add(body["pn_prid"])
    name = 'flexiapi_deliveries_total{label="android",outcome="unregistered",transport="push"}'

    def counted():
        figures = http.get("/metrics").text
        return next((float(line.split()[-1]) for line in figures.splitlines() if line.startswith(name)), 0.0)

    before = counted()
    answer = http.post(PATH, headers=flexisip, json=body)
    assert (answer.status_code, "no longer" in answer.json()["message"]) == (503, True)
    assert counted() == before + 1


def test_a_push_that_failed_may_be_asked_for_again_at_once(http, flexisip, fcm):
    body = android()
    fcm.dead.add(body["pn_prid"])
    assert http.post(PATH, headers=flexisip, json=body).status_code == 503
    fcm.dead.remove(body["pn_prid"])
    assert http.post(PATH, headers=flexisip, json=body).status_code == 200
    assert len(sent_to(fcm, body)) == 2


def test_a_provider_that_does_not_answer_in_time_is_a_503(http, flexisip, fcm, monkeypatch):
    monkeypatch.setattr(pushes, "SECONDS", 0.3)
    fcm.answer(reply(200, {"name": "x"}, delay=5))
    assert http.post(PATH, headers=flexisip, json=android()).status_code == 503
    fcm.answer(fcm.process)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"pn_provider": "smoke"}, "pn_provider"),
        ({"pn_prid": None}, "pn_prid"),
        ({"pn_prid": "a b"}, "pn_prid"),
        ({"pn_param": None}, "pn_param"),
        ({"type": "visit"}, "type"),
        ({"type": None}, "type"),
        ({"call_id": "a\r\nb"}, "call_id"),
        ({"call_id": "a" * 256}, "call_id"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_values_are_refused_by_field(http, flexisip, values, field):
    answer = http.post(PATH, headers=flexisip, json=android(**values))
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_only_administrators_and_keys_with_the_right_push(server, http):
    assert http.post(PATH, headers=server.person().headers, json=android()).status_code == 403
    assert http.post(PATH, headers=server.named_key("accounts:read"), json=android()).status_code == 403
    assert http.post(PATH, headers=server.named_key("push"), json=android()).status_code == 200
    boss = server.person(admin_since=server.clock.second())
    assert http.post(PATH, headers=boss.headers, json=android()).status_code == 200
