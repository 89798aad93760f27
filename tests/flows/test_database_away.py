"""MongoDB goes away and comes back."""

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from flexiapi.errors import StoreUnavailable
from tests.kit.mongod import mongod_in_memory
from tests.kit.phone_book import PhoneBook
from tests.kit.server import serving
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.faults

SIP_AUTH = "/sip/auth?method=REGISTER&domain=sip.example.org&username=a&nonce=b&uri=sip%3Asip.example.org&response=c"


def test_without_mongodb_callers_get_503_and_the_server_recovers_by_itself(serve, own_mongod):
    server = serve(MONGODB_URI=own_mongod.uri, FLEXISIP_EXTERNAL_AUTH="true")
    key = server.admin_key()
    http = httpx.Client(base_url=server.url, timeout=60, headers={"x-api-key": key})
    assert http.get("/api/accounts/me").status_code == 200
    requests = (
        ("GET", "/api/accounts/me", None),
        ("GET", "/api/accounts/the.admin@sip.example.org/info", None),
        ("POST", "/api/accounts/auth_token", None),
        ("POST", "/api/accounts", {"username": "somebody", "password": "correct-horse", "algorithm": "MD5"}),
        ("GET", "/provisioning/7Ma0JzRtWg3kP", None),
        ("GET", "/provisioning/me", None),
        ("GET", "/api/spaces", None),
        ("GET", SIP_AUTH, None),
    )
    assert http.get(SIP_AUTH).text == "Status: 403\nPhrase: Forbidden"
    own_mongod.stop()
    with ThreadPoolExecutor(len(requests)) as threads:
        answers = list(threads.map(lambda asked: http.request(asked[0], asked[1], json=asked[2]), requests))
    for (_, path, _), answer in zip(requests, answers, strict=True):
        assert answer.status_code == 503, (path, answer.text)
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/json"
        assert "message" in answer.json()
    assert http.get("/api/ping").status_code == 200
    assert http.get("/provisioning").status_code == 200
    assert http.get("/health/live").status_code == 200
    assert http.get("/health/ready").json()["reasons"] == {"database": "The database does not answer."}
    own_mongod.start()
    until = time.monotonic() + 60
    while http.get("/api/accounts/me").status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert http.get("/health/ready").text == "ready"
    # Its client is another one, which looks for the database on its own.
    wait_for(lambda: http.get(SIP_AUTH).text == "Status: 403\nPhrase: Forbidden")
    http.close()
    # While the database is there to take what is left to write.
    assert server.stop() == 0


@pytest.fixture(scope="module")
def mongod():
    with mongod_in_memory() as own:
        yield own


@pytest.fixture
def hole(mongod):
    """A block in which the database takes connections and answers nothing."""

    @contextlib.contextmanager
    def black_hole():
        os.kill(mongod.pid, signal.SIGSTOP)
        # The signal takes effect some time later.
        wait_for(lambda: Path(f"/proc/{mongod.pid}/stat").read_text().rpartition(") ")[2].startswith("T"))
        try:
            yield
        finally:
            os.kill(mongod.pid, signal.SIGCONT)

    return black_hole


@pytest.fixture
def patient(mongod, tmp_path):
    """A server whose driver waits for half a minute in each step."""
    settings = {"server": {"most_requests": 3}, "flexisip": {"external_auth": True}}
    with serving(settings, tmp_path, mongod.uri) as server:
        yield server


def test_in_a_black_hole_an_operation_ends_after_timeout_seconds(patient, hole):
    alice, store = patient.person(), patient.store
    store.accounts.deadlines.seconds = store.sip_sign_ins.deadlines.seconds = 0.5
    with hole():
        for ask in (store.accounts.by_id(alice.id), store.sip_sign_ins.account("a", "sip.example.org")):
            with pytest.raises(StoreUnavailable) as raised:
                patient.run(ask)
            assert raised.value.reason == "no answer within 0.5 seconds"
        for path in ("/api/accounts/me", SIP_AUTH):
            assert patient.http.get(path, headers=alice.headers).status_code == 503
    wait_for(lambda: patient.http.get("/api/accounts/me", headers=alice.headers).status_code == 200)


def test_a_refused_connection_is_503_at_once(patient, mongod):
    patient.expect_errors("the database is away|no request is answered|the document layout is not watched")
    alice, store = patient.person(), patient.store
    patient.run(store.sip_sign_ins.account("a", "sip.example.org"))
    mongod.stop()
    try:
        for one, ask in ((store.accounts, lambda: store.accounts.by_id(1)), (store.sip_sign_ins, sip_account(store))):
            wait_for(lambda: one.outage.refusal)  # noqa: B023  # called in this turn
            with pytest.raises(StoreUnavailable) as raised:
                patient.run(ask())
            assert raised.value.__cause__ is None, "the driver was asked"
        assert patient.http.get("/api/accounts/me", headers=alice.headers).status_code == 503
    finally:
        mongod.start()
    wait_for(lambda: patient.http.get("/api/accounts/me", headers=alice.headers).status_code == 200)
    assert not store.accounts.outage.refusal


def test_a_phone_keeps_its_contacts_while_the_database_is_away(patient, mongod, folder):
    """With liblinphone 5.1, which takes the body of any answer for the list."""
    patient.expect_errors("the database is away|no request is answered|the document layout is not watched")
    alice, bob = patient.person(), patient.person("bob.builder")
    patient.set(alice.id, contact_ids=(bob.id,))
    phone = PhoneBook(folder, patient, alice)
    contacts = phone.kept_after("END:VCARD")
    assert [f"<sip:{bob.sip}>" in contact for contact in contacts] == [True]
    mongod.stop()
    try:
        wait_for(lambda: patient.store.accounts.outage.refusal)
        assert phone.kept_after("HTTP/1.1 503") == contacts
        for path in ("/contacts/vcard", f"/contacts/vcard/{bob.sip}"):
            answer = patient.http.get(path, headers=alice.headers)
            assert (answer.status_code, answer.content) == (503, b"")
            assert answer.headers["content-length"] == "0"
            assert int(answer.headers["retry-after"]) > 0
    finally:
        mongod.start()
    wait_for(lambda: patient.http.get("/contacts/vcard", headers=alice.headers).status_code == 200)
    assert phone.kept_after("END:VCARD") == contacts


def test_a_server_that_answers_is_used_before_the_driver_has_told_that_it_is_back(patient):
    store = patient.store
    patient.run(store.sip_sign_ins.account("a", "sip.example.org"))
    for one in (store.accounts, store.sip_sign_ins):
        one.outage.refusal = "[Errno 111] Connection refused"
        wait_for(lambda: not one.outage.refusal)  # noqa: B023  # called in this turn


def sip_account(store):
    return lambda: store.sip_sign_ins.account("a", "sip.example.org")


def test_load_that_cannot_be_served_in_time_is_shed_but_no_list_of_contacts(patient, hole):
    alice = patient.person()

    def ask(path="/api/accounts/me"):
        return httpx.get(f"{patient.url}{path}", headers=alice.headers, timeout=60)

    def ask_until_taken():
        # The request that looks whether the server is full may be the third.
        while (answer := ask()).status_code == 503:
            pass
        return answer

    with ThreadPoolExecutor(8) as threads:
        with hole():
            waiting = [threads.submit(ask_until_taken) for _ in range(3)]
            wait_for(lambda: ask("/api/ping").status_code == 503)
            shed = ask("/api/ping")
            assert shed.json()["message"] == "The server has too much to do. Try again later."
            assert int(shed.headers["retry-after"]) > 0
            assert ask("/health/live").text == "live"
            lists = [threads.submit(ask, path) for path in ("/contacts/vcard", "/contacts/vcard/sip:a@b.example")]
        assert [one.result().status_code for one in waiting] == [200] * 3
        assert [one.result().status_code for one in lists] == [200, 404]
    assert ask("/api/ping").status_code == 200
