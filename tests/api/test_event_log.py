"""The event log: what a SIP server reports, in any order, and what is made of it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.kit.server import shared_by_module

server = shared_by_module({"statistics": {"days": 30}})

KEY = '"<urn:uuid:4f2e1a9c-1111-4222-8333-444455556666>"'
OTHER = "fs-gen-$where.a.b.$c"
BEGUN, RANG, ANSWERED, ENDED = (f"2026-11-30T14:05:{second:02}Z" for second in (0, 3, 9, 49))


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def calls(server, http, admin):
    """A SIP server with the key of an administrator."""
    return Flexisip(server, http, admin.headers)


class Flexisip:
    """The client of the event log. `prefix` is the default of Flexisip."""

    prefix = "/api/stats/"

    def __init__(self, server, http, headers):
        self.server, self.http, self.headers = server, http, headers

    def send(self, method, path, body, expected=200):
        answer = self.http.request(method, f"{self.prefix}{path}", json=body, headers=self.headers)
        assert answer.status_code == expected, answer.text
        return answer

    def begun(self, call, sender, receiver, devices=(KEY,), **more):
        body = {
            "id": call,
            "sip_call_id": "x7Yk2@phone",
            "from": sender,
            "to": receiver,
            "devices": dict.fromkeys(devices),
            "initiated_at": BEGUN,
            "ended_at": None,
            "conference_id": None,
            **more,
        }
        return self.send("POST", "calls", body)

    def device(self, call, body, key=KEY, expected=200):
        return self.send("PATCH", f"calls/{call}/devices/{key}", body, expected)

    def rang(self, call, key=KEY, at=RANG):
        return self.device(call, {"rang_at": at}, key)

    def terminated(self, call, state="accepted", key=KEY, at=ANSWERED):
        return self.device(call, {"invite_terminated": {"at": at, "state": state}}, key)

    def ended(self, call, at=ENDED):
        return self.send("PATCH", f"calls/{call}", {"ended_at": at})

    def message(self, message, sender, to, **more):
        body = {"id": message, "from": sender, "to": to, "sent_at": BEGUN, "encrypted": False, **more}
        return self.send("POST", "messages", body)

    def received(self, message, receiver, key=KEY, status=200, at=RANG):
        body = {"last_status": status, "received_at": at}
        return self.send("PATCH", f"messages/{message}/to/{receiver}/devices/{key}", body)

    def flush(self):
        self.server.run(self.server.services.calls.event_log.write())

    def log_of(self, person, page=1):
        self.flush()
        answer = self.http.get(f"/api/accounts/me/statistics/calls?page={page}", headers=person.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


def records(server, kind):
    """The stored records by id."""

    async def found():
        return await server.store._database[f"reported_{kind}"].find().to_list(None)

    return {one["_id"]["id"]: one for one in server.run(found())}


def whole(call, caller, callee, state="accepted"):
    """The view of a call without the times of its reports."""
    return {
        "id": call,
        "from_username": caller.account.username,
        "from_domain": "sip.example.org",
        "to_username": callee.account.username,
        "to_domain": "sip.example.org",
        "initiated_at": "2026-11-30T14:05:00.000000Z",
        "ended_at": "2026-11-30T14:05:49.000000Z",
        "conference_id": None,
        "devices": [
            {
                "id": 1,
                "call_id": call,
                "device_id": KEY,
                "rang_at": "2026-11-30T14:05:03.000000Z",
                "invite_terminated_at": "2026-11-30T14:05:09.000000Z",
                "invite_terminated_state": state,
            }
        ],
    }


def without_times(call):
    return {name: value for name, value in call.items() if name not in ("created_at", "updated_at")}


@pytest.fixture
def bob(server):
    return server.person()


@pytest.fixture
def alice(server):
    return server.person()


@pytest.mark.parametrize("prefix", ["/api/stats/", "/api/statistics/"])
def test_a_call_is_kept_whole_in_the_order_of_the_sip_server(calls, alice, bob, prefix):
    calls.prefix, call = prefix, f"whole{len(prefix)}"
    assert calls.begun(call, alice.sip, bob.sip).json() == {}
    calls.rang(call)
    calls.terminated(call)
    calls.ended(call)
    for person in (alice, bob):
        assert [without_times(one) for one in calls.log_of(person)["data"]] == [whole(call, alice, bob)]


def test_reports_in_any_order_make_the_same_call(calls, alice, bob):
    calls.ended("order")
    calls.terminated("order")
    assert calls.log_of(bob)["data"] == []
    calls.rang("order")
    calls.flush()
    calls.begun("order", alice.sip, bob.sip)
    assert [without_times(one) for one in calls.log_of(bob)["data"]] == [whole("order", alice, bob)]


def test_repeated_reports_are_answered_alike_and_wipe_nothing(calls, alice, bob):
    for _ in range(2):
        for report in (calls.rang, calls.terminated, calls.ended):
            calls.begun("again", alice.sip, bob.sip)
            calls.flush()
            report("again")
            calls.flush()
    calls.rang("again", at="2026-11-30T14:06:00Z")
    assert [without_times(one) for one in calls.log_of(bob)["data"]] == [whole("again", alice, bob)]


def test_parallel_reports_of_one_call_make_one_whole_record(server, calls, alice, bob):
    reports = [
        lambda: calls.begun("parallel", alice.sip, bob.sip),
        lambda: calls.rang("parallel"),
        lambda: calls.terminated("parallel"),
        lambda: calls.ended("parallel"),
        lambda: calls.rang("parallel", OTHER),
    ] * 10

    async def written_by_several():
        await asyncio.gather(*(server.services.calls.event_log.write() for _ in range(5)))

    with ThreadPoolExecutor(25) as pool:
        done = [pool.submit(report) for report in reports]
        server.run(written_by_several())
        assert {one.result().status_code for one in done} == {200}
    (call,) = calls.log_of(alice)["data"]
    assert (call["initiated_at"], call["ended_at"]) == ("2026-11-30T14:05:00.000000Z", "2026-11-30T14:05:49.000000Z")
    devices = {one["device_id"]: one for one in call["devices"]}
    assert devices.keys() == {KEY, OTHER}
    assert devices[KEY]["invite_terminated_state"] == "accepted"
    assert devices[KEY]["rang_at"] == devices[OTHER]["rang_at"] == "2026-11-30T14:05:03.000000Z"


def test_keys_of_devices_are_taken_raw_and_encoded_and_name_no_fields(server, calls, alice, bob):
    calls.begun("keys", alice.sip, bob.sip, devices=(OTHER,))
    calls.rang("keys", KEY)
    calls.rang("keys", quote(KEY, safe=""))
    calls.rang("keys", "$set")
    calls.rang("keys", "a.b")
    (call,) = calls.log_of(bob)["data"]
    assert [one["device_id"] for one in call["devices"]] == [OTHER, KEY, "$set", "a.b"]
    document = records(server, "calls")["keys"]
    assert [one["key"]["device"] for one in document["devices"]] == [OTHER, KEY, "$set", "a.b"]
    assert not any("$" in name or "." in name for name in document)


def test_ids_and_addresses_with_dollars_are_values(server, calls, alice):
    calls.begun("$from", alice.sip, "$to.a@far.example.org", conference_id="$$ROOT")
    calls.flush()
    document = records(server, "calls")["$from"]
    assert [one["address"] for one in document["receivers"]] == ["$to.a@far.example.org"]
    assert document["conference_id"] == "$$ROOT"


def test_a_message_is_kept_with_its_receivers_and_their_devices(server, calls, alice, bob):
    calls.received("message", quote(bob.sip), KEY, 503, RANG)
    calls.flush()
    calls.message("message", alice.sip, {bob.sip: {KEY: None, OTHER: None}, "carol@far.example.org": {}})
    calls.received("message", bob.sip, KEY, 200, ANSWERED)
    calls.flush()
    document = records(server, "messages")["message"]
    assert document["from"] == alice.sip
    assert document["encrypted"] is False
    assert [one["address"] for one in document["receivers"]] == [bob.sip, "carol@far.example.org"]
    outcomes = {one["key"]["device"]: one["outcome"] for one in document["devices"]}
    assert outcomes[KEY]["state"] == 200
    assert outcomes[OTHER] is None


def test_a_message_to_a_conference_gets_its_receivers_from_their_devices(server, calls, alice, bob):
    calls.message("group", alice.sip, {}, conference_id="room")
    calls.received("group", bob.sip)
    calls.flush()
    document = records(server, "messages")["group"]
    assert [one["address"] for one in document["receivers"]] == [bob.sip]
    assert document["accounts"] == sorted([alice.id, bob.id])


def test_a_conference_keeps_each_event_once(server, calls, bob):
    calls.send("POST", f"conferences/room/participants/{bob.sip}/events", {"type": "added", "at": BEGUN})
    for _ in range(2):
        calls.send("POST", "conferences", {"id": "room", "created_at": BEGUN, "ended_at": None, "schedule": None})
        path = f"conferences/room/participants/{bob.sip}/devices/{KEY}/events"
        calls.send("POST", path, {"type": "joined", "at": RANG})
        calls.send("POST", path, {"type": "left", "at": ENDED})
    calls.send("PATCH", "conferences/room", {"ended_at": ENDED})
    calls.flush()
    document = records(server, "conferences")["room"]
    assert document["begun_at"] == datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
    assert document["ended_at"] == datetime(2026, 11, 30, 14, 5, 49, tzinfo=UTC)
    events = [(one["key"]["device"], one["key"]["event"]["state"]) for one in document["devices"]]
    assert events == [("", "added"), (KEY, "joined"), (KEY, "left")]


def test_the_newest_calls_come_first_on_pages_of_thirty(calls, alice, bob):
    for number in range(31):
        calls.begun(f"page{number}", alice.sip, bob.sip, initiated_at=f"2026-11-30T14:06:{number:02}+01:00")
    first = calls.log_of(alice)
    assert [one["id"] for one in first["data"]] == [f"page{number}" for number in range(30, 0, -1)]
    assert (first["current_page"], first["last_page"], first["per_page"], first["total"]) == (1, 2, 30, 31)
    assert (first["from"], first["to"], first["prev_page_url"]) == (1, 30, None)
    second = calls.log_of(alice, 2)
    assert first["next_page_url"].endswith("/api/accounts/me/statistics/calls?page=2")
    assert [one["id"] for one in second["data"]] == ["page0"]
    assert second["data"][0]["initiated_at"] == "2026-11-30T13:06:00.000000Z"
    assert calls.log_of(alice, 10**9)["data"] == []


def test_administrators_see_the_calls_of_an_account_and_users_only_theirs(calls, http, admin, alice, bob):
    calls.begun("seen", alice.sip, bob.sip)
    calls.flush()
    path = f"/api/accounts/{bob.id}/statistics/calls"
    page = http.get(path, headers=admin.headers).json()
    assert [one["id"] for one in page["data"]] == ["seen"]
    assert page["path"].endswith(path)
    assert http.get(path, headers=alice.headers).status_code == 403
    assert http.get("/api/accounts/999999/statistics/calls", headers=admin.headers).status_code == 404


@pytest.mark.parametrize(
    ("path", "method", "right", "wrong"),
    [
        (
            "calls",
            "POST",
            {"id": "bad", "from": "a@sip.example.org", "to": "b@sip.example.org", "initiated_at": BEGUN},
            [
                {"id": "x" * 129},
                {"id": 7},
                {"from": "nobody"},
                {"from": f"{'a' * 300}@sip.example.org"},
                {"to": {"b@sip.example.org": None}},
                {"initiated_at": "yesterday"},
                {"initiated_at": "2026-11-30"},
                {"initiated_at": "2026-13-30T14:05:00Z"},
                {"initiated_at": "0001-01-01T00:00:00+14:00"},
                {"initiated_at": 1764511500},
                {"ended_at": "later"},
                {"devices": "none"},
                {"devices": {"k" * 513: None}},
                {"devices": {"": None}},
                {"devices": {str(number): None for number in range(501)}},
                {"devices": {"key": {"invite_terminated": {"at": BEGUN, "state": "asleep"}}}},
                {"conference_id": "c" * 257},
            ],
        ),
        (
            "messages",
            "POST",
            {"id": "bad", "from": "a@sip.example.org", "to": {}, "sent_at": BEGUN, "encrypted": False},
            [
                {"to": "b@sip.example.org"},
                {"to": {"b": {}}},
                {"to": {f"b{number}@sip.example.org": {} for number in range(201)}},
                {"to": {"b@sip.example.org": "all"}},
                {"to": {f"b{n}@sip.example.org": {str(m): None for m in range(300)} for n in range(2)}},
                {"sent_at": ""},
                {"encrypted": "perhaps"},
            ],
        ),
        (
            "messages/bad/to/b@sip.example.org/devices/key",
            "PATCH",
            {"last_status": 200, "received_at": BEGUN},
            [{"last_status": "200"}, {"last_status": 1000}, {"last_status": True}, {"received_at": None}],
        ),
        (
            "calls/bad/devices/key",
            "PATCH",
            {"rang_at": BEGUN, "invite_terminated": {"at": BEGUN, "state": "declined"}},
            [
                {"rang_at": "now"},
                {"invite_terminated": {"at": BEGUN}},
                {"invite_terminated": {"state": "declined"}},
                {"invite_terminated": {"at": BEGUN, "state": {"$gt": ""}}},
                {"invite_terminated": "declined"},
            ],
        ),
        ("calls/bad", "PATCH", {"ended_at": BEGUN}, [{"ended_at": None}, {"ended_at": {"$gt": ""}}]),
        ("conferences", "POST", {"id": "bad", "created_at": BEGUN}, [{"created_at": None}, {"schedule": "s" * 257}]),
        ("conferences/bad", "PATCH", {"ended_at": BEGUN}, [{"ended_at": "T"}]),
        (
            "conferences/bad/participants/b@sip.example.org/events",
            "POST",
            {"type": "added", "at": BEGUN},
            [{"type": 1}],
        ),
        (
            "conferences/bad/participants/b@sip.example.org/devices/key/events",
            "POST",
            {"type": "invited", "at": BEGUN},
            [{"type": "added"}, {"at": []}],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_refused_with_its_field(calls, path, method, right, wrong):
    calls.send(method, path, {**right, "unknown": {"$where": "1"}})
    for change in wrong:
        answer = calls.send(method, path, {**right, **change}, 422)
        assert list(answer.json()["errors"]) == list(change), change


def test_a_key_that_is_no_text_is_refused(calls, http):
    known = '"id": "bad", "from": "a@sip.example.org", "to": "b@sip.example.org"'
    body = f'{{{known}, "initiated_at": "{BEGUN}", "devices": {{"\\ud800": null}}}}'
    answer = http.post("/api/stats/calls", content=body, headers={**calls.headers, "Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert list(answer.json()["errors"]) == ["devices"]


def test_addresses_in_paths_must_be_addresses(calls):
    calls.send("PATCH", "messages/bad/to/bob/devices/key", {"last_status": 200, "received_at": BEGUN}, 422)
    calls.send("PATCH", f"calls/{'x' * 129}", {"ended_at": BEGUN}, 404)
    calls.device("bad", {"rang_at": BEGUN}, "k" * 513, 404)
    calls.device("bad", {"rang_at": BEGUN}, "k" * 512)


def test_records_stay_small_however_much_is_reported(server, calls, alice, bob):
    calls.begun("large", alice.sip, bob.sip, devices=[f"first{number}" for number in range(500)])
    for number in range(20):
        calls.rang("large", f"later{number}")
    calls.rang("large", "first499")
    calls.flush()
    document = records(server, "calls")["large"]
    assert [one["key"]["device"] for one in document["devices"]] == [f"first{number}" for number in range(500)]
    assert document["devices"][-1]["rang_at"] is not None


def test_users_report_nothing(calls, alice, http):
    for path in ("calls", "messages", "conferences"):
        assert http.post(f"/api/stats/{path}", json={}, headers=alice.headers).status_code == 403


def test_keys_report_and_read_as_their_scopes_say(server, calls, http, alice, bob):
    reports, reads = (server.named_key(scope) for scope in ("statistics:write", "accounts:read"))
    log, figures = f"/api/accounts/{alice.id}/statistics/calls", "/api/statistics/calls"
    for headers in (reports, server.named_key("flexisip")):
        calls.headers = headers
        calls.begun("by-key", alice.sip, bob.sip)
        assert http.get(log, headers=headers).status_code == 403
        assert http.get(figures, headers=headers).status_code == 403
    for headers in (reads, server.named_key("push")):
        calls.headers = headers
        calls.send("PATCH", "calls/by-key", {"ended_at": ENDED}, 403)
        calls.send("POST", "conferences", {"id": "room", "created_at": BEGUN}, 403)
    calls.flush()
    assert [one["id"] for one in http.get(log, headers=reads).json()["data"]] == ["by-key"]
    assert http.get(figures, headers=reads).status_code == 200


def test_addresses_are_read_as_in_sip_uris(server, calls, bob):
    other = server.person("+33612345699#1")
    calls.begun(
        "encoded", quote("+33612345699#1") + "@SIP.example.org", f"sip:{bob.account.username.upper()}@sip.example.org"
    )
    for person in (other, bob):
        (call,) = calls.log_of(person)["data"]
        assert (call["from_username"], call["from_domain"]) == ("+33612345699#1", "sip.example.org")


@pytest.fixture(scope="module")
def counted(server):
    """Calls and messages of a month of their own."""
    admin, alice, bob = server.person(admin_since=server.clock.second()), server.person(), server.person()
    calls = Flexisip(server, server.http, admin.headers)
    for number, at in enumerate(("2025-03-01T00:00:00Z", "2025-03-01T23:59:59Z", "2025-03-31T12:00:00Z")):
        calls.begun(f"counted{number}", alice.sip, bob.sip, initiated_at=at)
    calls.terminated("counted1", at="2025-03-02T00:00:10Z")
    calls.ended("counted1", at="2025-03-02T00:01:40Z")
    calls.terminated("counted0", "declined", at="2025-03-01T00:00:10Z")
    calls.ended("counted0", at="2025-03-01T00:00:10Z")
    for number in range(2):
        calls.message(f"counted{number}", alice.sip, {bob.sip: {KEY: None}}, sent_at="2025-03-01T10:00:00Z")
    calls.received("counted0", bob.sip, at="2025-03-01T10:00:01Z")
    calls.flush()
    return admin


class TestFigures:
    """Numbers of calls and messages by hour, day and month."""

    def get(self, http, admin, path, **query):
        return http.get(f"/api/statistics/{path}", params=query, headers=admin.headers)

    def test_days_are_whole_and_empty_ones_are_there(self, http, counted):
        days = self.get(http, counted, "calls", **{"from": "2025-03-01", "to": "2025-03-31"}).json()
        assert len(days) == 31
        assert days["2025-03-01"] == {"calls": 2, "answered": 1, "seconds": 90}
        assert days["2025-03-02"] == {"calls": 0, "answered": 0, "seconds": 0}
        assert days["2025-03-31"] == {"calls": 1, "answered": 0, "seconds": 0}

    def test_hours_and_months_are_counted_within_the_times(self, http, counted):
        times = {"from": "2025-03-01T23:00:00Z", "to": "2025-03-02T01:00:00Z"}
        hours = self.get(http, counted, "calls", by="hour", **times).json()
        assert {hour: one["calls"] for hour, one in hours.items()} == {"2025-03-01 23": 1, "2025-03-02 00": 0}
        months = self.get(http, counted, "calls", by="month", **{"from": "2025-02-01", "to": "2025-03-31"}).json()
        assert {month: one["calls"] for month, one in months.items()} == {"2025-02": 0, "2025-03": 3}

    def test_messages_are_counted_with_those_that_a_device_took(self, http, counted):
        days = self.get(http, counted, "messages", **{"from": "2025-03-01", "to": "2025-03-01"}).json()
        assert days == {"2025-03-01": {"messages": 2, "delivered": 1}}

    @pytest.mark.parametrize(
        ("path", "lines"),
        [
            ("calls.csv", ["day,calls,answered,seconds", "2025-03-01,2,1,90", "2025-03-02,0,0,0"]),
            ("messages.csv", ["day,messages,delivered", "2025-03-01,2,1", "2025-03-02,0,0"]),
        ],
    )
    def test_tables_have_the_same_numbers(self, http, counted, path, lines):
        answer = self.get(http, counted, path, **{"from": "2025-03-01", "to": "2025-03-02"})
        assert answer.content.decode("utf-8-sig").splitlines() == lines
        assert answer.headers["content-disposition"] == f'attachment; filename="{path}"'

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"from": "yesterday"}, "from"),
            ({"to": "2025-02-30"}, "to"),
            ({"by": "minute"}, "by"),
            ({"from": "2025-03-02", "to": "2025-03-01"}, "from"),
            ({"from": "2025-01-01", "to": "2025-03-01", "by": "hour"}, "from"),
            ({"from": "0001-01-01", "to": "9999-12-31", "by": "month"}, "from"),
            ({"to": "0001-01-01"}, "from"),
        ],
    )
    def test_times_that_cannot_be_counted_are_refused(self, http, counted, query, field):
        for path in ("calls", "messages", "calls.csv", "messages.csv"):
            answer = self.get(http, counted, path, **query)
            assert answer.status_code == 422, answer.text
            assert list(answer.json()["errors"]) == [field]

    def test_the_usual_time_ends_now(self, http, server, counted):
        days = self.get(http, counted, "calls").json()
        assert list(days)[-1] == f"{server.clock.now():%Y-%m-%d}"
        assert len(days) in (31, 32)
        assert len(self.get(http, counted, "calls", by="hour").json()) in (25, 26)
