"""Voicemail over the API: slots, uploads, quotas, downloads and removal."""

import concurrent.futures
import contextlib
import socket

import httpx
import pytest

from flexiapi.errors import StoreUnavailable
from flexiapi.store.voicemail_files import VoicemailFiles
from tests.kit.server import KIND, serving, shared_by_module
from tests.kit.voicemail import BOUNDARY, CONTENT_TYPE, announce, form, left, opus, stored, upload, wav
from tests.kit.waiting import wait_for

server = shared_by_module({"voicemail": {"files": 5, "total_mb": 13}})

MIB = 1024 * 1024


@pytest.fixture
def alice(server):
    return server.person()


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture(autouse=True)
def _nothing_is_left_over(server):
    before = stored(server)
    yield
    assert stored(server)[2] == before[2]


def listed(server, person):
    return server.http.get("/api/accounts/me/voicemails", headers=person.headers).json()


class TestSlots:
    def test_a_slot_has_what_flexisip_reads(self, server, admin, alice):
        answer = announce(server, admin, alice, sip_from="sip:bob@sip.example.org;transport=tls")
        assert answer.status_code == 201
        slot = answer.json()
        assert slot.keys() == {
            "id",
            "sip_from",
            "content_type",
            "created_at",
            "upload_url",
            "download_url",
            "max_upload_size",
        }
        assert slot["sip_from"] == "sip:bob@sip.example.org;transport=tls"
        assert (slot["content_type"], slot["download_url"]) == ("audio/wav", None)
        assert isinstance(slot["max_upload_size"], int)
        assert slot["max_upload_size"] >= 104_857 * 120
        assert slot["upload_url"].startswith(f"{server.url}/api/files/")
        assert slot["id"] not in slot["upload_url"]
        assert answer.headers["cache-control"] == "no-store"

    def test_the_caller_may_be_unknown(self, server, admin, alice):
        assert announce(server, admin, alice, sip_from=None).json()["sip_from"] is None

    def test_what_is_wrong_is_told(self, server, alice):
        for fields in (
            {"sip_from": "bob"},
            {"sip_from": "sip:a b"},
            {"content_type": "text/html"},
            {"content_type": None},
        ):
            answer = announce(server, alice, **fields)
            assert (answer.status_code, list(answer.json()["errors"])) == (422, list(fields))

    def test_of_50_parallel_requests_no_more_get_slots_than_there_may_be(self, server, alice, monkeypatch):
        monkeypatch.setattr("flexiapi.services.calls.voicemail._MOST_SLOTS", 5)
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda _: announce(server, alice).status_code, range(50)))
        slots = server.run(server.store.voicemails.open_slots(alice.id, server.clock.now()))
        assert slots == statuses.count(201) <= 5
        assert set(statuses) <= {201, 429}

    def test_users_have_slots_for_themselves_alone(self, server, alice):
        assert announce(server, alice).status_code == 201
        assert announce(server, alice, server.person()).status_code == 403

    def test_an_account_without_a_mail_address_has_them(self, server, alice):
        assert alice.account.email is None
        assert left(server, alice)["size"] == 4000

    def test_one_that_is_not_filled_in_time_is_over(self, server, alice):
        slot = announce(server, alice).json()
        server.later(minutes=61)
        assert upload(server, slot).status_code == 404
        server.clock.offset -= server.clock.offset

    def test_they_are_announced_within_reason(self, server, alice, monkeypatch):
        monkeypatch.setattr("flexiapi.services.calls.voicemail._MOST_SLOTS", 2)
        assert [announce(server, alice).status_code for _ in range(3)] == [201, 201, 429]


class TestUploads:
    def test_a_voicemail_is_as_it_was_sent_and_has_a_name_of_ours(self, server, alice):
        content = wav(700_000)
        slot = announce(server, alice).json()
        answer = upload(server, slot, content)
        assert (answer.status_code, answer.json()["download_url"]) == (200, None)
        (voicemail,) = listed(server, alice)
        assert voicemail.keys() == {
            "id",
            "name",
            "size",
            "content_type",
            "sip_from",
            "uploaded_at",
            "created_at",
            "download_url",
        }
        assert (voicemail["id"], voicemail["size"]) == (slot["id"], 700_000)
        assert voicemail["name"].startswith("voicemail-2")
        assert voicemail["name"].endswith(".wav")
        assert voicemail["download_url"].startswith(f"{server.url}/f/")
        assert slot["upload_url"].rpartition("/")[2] not in voicemail["download_url"]
        assert httpx.get(voicemail["download_url"]).content == content

    def test_opus_is_served_in_its_container(self, server, alice):
        voicemail = left(server, alice, opus(), content_type="audio/opus")
        assert voicemail["content_type"] == "audio/opus"
        assert httpx.get(voicemail["download_url"]).headers["content-type"] == "audio/ogg"

    @pytest.mark.parametrize(
        ("kind", "content"),
        [
            ("audio/wav", opus()),
            ("audio/opus", wav()),
            ("audio/wav", b"RIFF1234AVI " + bytes(100)),
            ("audio/opus", b"OggS" + bytes(24) + b"\x01vorbis" + bytes(100)),
            ("audio/wav", b"<html><script>" + bytes(100)),
            ("audio/wav", b"RIFF"),
            ("audio/wav", b""),
        ],
        ids=["opus-as-wav", "wav-as-opus", "avi", "vorbis", "html", "short", "empty"],
    )
    def test_a_file_of_another_type_is_refused_and_not_stored(self, server, alice, kind, content):
        before = stored(server)
        slot = announce(server, alice, content_type=kind).json()
        answer = upload(server, slot, content)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["file"])
        assert (stored(server), listed(server, alice)) == (before, [])
        good = wav() if kind == "audio/wav" else opus()
        assert upload(server, slot, good).status_code == 200

    def test_a_second_upload_does_not_exist(self, server, alice):
        slot = announce(server, alice).json()
        assert [upload(server, slot).status_code for _ in range(2)] == [200, 404]

    def test_of_parallel_uploads_to_one_slot_one_is_stored(self, server, alice):
        slot, before = announce(server, alice).json(), stored(server)
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda _: upload(server, slot).status_code, range(50)))
        assert sorted(statuses) == [200] + 49 * [404]
        assert len(listed(server, alice)) == 1
        assert stored(server) == (before[0] + 1, before[1] + 1, before[2])

    def test_a_body_over_the_limit_is_refused_before_it_is_read(self, server, alice):
        slot = announce(server, alice).json()
        length = slot["max_upload_size"] + 2 * MIB
        status, _ = raw_upload(server, slot, b"", length)
        assert status == 413
        assert upload(server, slot).status_code == 200

    def test_a_chunked_body_over_the_limit_is_refused_and_not_stored(self, server, alice, monkeypatch):
        monkeypatch.setattr("flexiapi.settings.voicemail._MIB", 20_000)
        slot, before = announce(server, alice).json(), stored(server)
        assert slot["max_upload_size"] == 500_000
        path = slot["upload_url"].removeprefix(server.url)

        def pieces():
            body = form(wav(600_000))
            yield from (body[start : start + 65536] for start in range(0, len(body), 65536))

        answer = server.http.post(path, content=pieces(), headers={"Content-Type": CONTENT_TYPE})
        assert (answer.status_code, stored(server)) == (413, before)

    def test_other_routes_keep_their_limit(self, server, alice):
        body = b"{" + b" " * server.settings.server.max_body_bytes * 3 + b"}"
        answer = server.http.post("/api/accounts/me/voicemails", content=body, headers=alice.headers)
        assert answer.status_code == 413

    @pytest.mark.parametrize(
        "body",
        [
            form(wav())[:-10],
            form(wav()).replace(b"\r\n", b"\n"),
            form(wav(), name="other"),
            form(wav())[: -len(BOUNDARY) - 6] + form(wav()),
            f"--{BOUNDARY}--\r\n".encode(),
            b"nonsense",
            b"",
            b"--" + BOUNDARY.encode() + b"\r\n" + b"X: " + b"y" * 9000 + b"\r\n\r\n",
            form(wav()).replace(b"Content-Disposition: form-data", b"Content-Disposition: nonsense"),
        ],
        ids=[
            "cut",
            "bare-line-feeds",
            "other-name",
            "two-parts",
            "no-part",
            "nonsense",
            "empty",
            "header",
            "disposition",
        ],
    )
    def test_a_damaged_form_is_refused_and_the_slot_stays(self, server, alice, body):
        slot, before = announce(server, alice).json(), stored(server)
        answer = server.http.post(
            slot["upload_url"].removeprefix(server.url), content=body, headers={"Content-Type": CONTENT_TYPE}
        )
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["file"])
        assert stored(server) == before
        assert upload(server, slot).status_code == 200

    @pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=a", ""])
    def test_another_type_of_body_is_refused(self, server, alice, kind):
        slot = announce(server, alice).json()
        answer = upload(server, slot, headers={"Content-Type": kind})
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["file"])

    def test_an_unknown_secret_is_refused_before_the_body_is_asked_for(self, server):
        slot = {"upload_url": f"{server.url}/api/files/00000000-0000-0000-0000-000000000000"}
        status, answer = raw_upload(server, slot, b"", 20 * MIB, "Expect: 100-continue")
        assert status == 404
        assert b"100 Continue" not in answer

    @pytest.mark.skipif(KIND == "tornado", reason="Tornado tells to continue before the application was asked")
    def test_a_client_that_waits_is_told_to_go_on(self, server, alice):
        slot = announce(server, alice).json()
        body = form(wav())
        with connection(server) as client:
            client.sendall(head_of(server, slot, len(body), "Expect: 100-continue"))
            assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
            client.sendall(body)
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")

    def test_a_client_that_goes_away_leaves_the_slot_and_no_chunks(self, server, alice):
        slot, before = announce(server, alice).json(), stored(server)
        body = form(wav(2 * MIB))
        with connection(server) as client:
            client.sendall(head_of(server, slot, len(body)) + body[:MIB])
            wait_for(lambda: stored(server)[1] > before[1])
        wait_for(lambda: stored(server) == before)
        assert listed(server, alice) == []
        assert upload(server, slot).status_code == 200

    def test_the_connection_goes_on_after_an_upload(self, server, alice):
        with httpx.Client(base_url=server.url, limits=httpx.Limits(max_connections=1)) as http:
            server_of = type("Same", (), {"url": server.url, "http": http})
            for _ in range(3):
                slot = announce(server, alice).json()
                assert upload(server_of, slot).status_code == 200


class TestQuotas:
    def test_more_than_the_number_are_refused(self, server, alice):
        slots = [announce(server, alice).json() for _ in range(6)]
        assert [upload(server, slot).status_code for slot in slots] == 5 * [200] + [403]
        refused = announce(server, alice)
        assert (refused.status_code, refused.json()["message"]) == (403, "The voicemail of this account is full.")
        voicemail = listed(server, alice)[0]
        server.http.delete(f"/api/accounts/me/voicemails/{voicemail['id']}", headers=alice.headers)
        assert upload(server, slots[-1]).status_code == 200

    def test_more_than_the_bytes_are_refused(self, server, alice):
        slots = [announce(server, alice).json() for _ in range(3)]
        large = wav(6 * MIB)
        assert [upload(server, slot, large).status_code for slot in slots] == [200, 200, 403]
        assert upload(server, slots[-1], wav(MIB)).status_code == 200

    def test_of_50_parallel_uploads_only_those_are_stored_that_fit(self, server, alice):
        before = stored(server)
        slots = [announce(server, alice).json() for _ in range(50)]
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda slot: upload(server, slot).status_code, slots))
        assert sorted(statuses) == 5 * [200] + 45 * [403]
        assert len(listed(server, alice)) == 5
        assert stored(server) == (before[0] + 5, before[1] + 5, before[2])


class TestDownloads:
    @pytest.fixture
    def voicemail(self, server, alice):
        return left(server, alice, wav(600_000))

    def test_headers(self, server, voicemail):
        answer = httpx.get(voicemail["download_url"])
        name = voicemail["name"]
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["accept-ranges"] == "bytes"
        saved = httpx.get(f"{voicemail['download_url']}/download")
        assert saved.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert saved.content == answer.content

    def test_head(self, server, voicemail):
        answer = httpx.head(voicemail["download_url"])
        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "600000", b"")

    @pytest.mark.parametrize(
        ("asked", "first", "last"),
        [
            ("bytes=0-0", 0, 0),
            ("bytes=0-", 0, 599_999),
            ("bytes=261119-261120", 261_119, 261_120),
            ("bytes=100-299999", 100, 299_999),
            ("bytes=599999-", 599_999, 599_999),
            ("bytes=1000-9999999", 1000, 599_999),
            ("bytes=-1", 599_999, 599_999),
            ("bytes=-9999999", 0, 599_999),
        ],
    )
    def test_a_range(self, server, voicemail, asked, first, last):
        answer = httpx.get(voicemail["download_url"], headers={"Range": asked})
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {first}-{last}/600000"
        assert answer.content == wav(600_000)[first : last + 1]

    @pytest.mark.parametrize("asked", ["bytes=600000-", "bytes=-0", "bytes=999999-9999999"])
    def test_a_range_that_the_file_does_not_have(self, server, voicemail, asked):
        answer = httpx.get(voicemail["download_url"], headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */600000")

    @pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=5-1", "bytes=a-b", "items=0-1", "bytes=-", ""])
    def test_several_ranges_and_nonsense_are_answered_with_the_whole(self, server, voicemail, asked):
        answer = httpx.get(voicemail["download_url"], headers={"Range": asked})
        assert (answer.status_code, len(answer.content)) == (200, 600_000)

    def test_a_range_of_another_file_is_answered_with_the_whole(self, server, voicemail):
        tag = httpx.head(voicemail["download_url"]).headers["etag"]
        for condition, status in ((tag, 206), ('"other"', 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)):
            headers = {"Range": "bytes=0-1", "If-Range": condition}
            assert httpx.get(voicemail["download_url"], headers=headers).status_code == status

    def test_the_name_and_the_secret_must_be_right(self, server, voicemail):
        url = voicemail["download_url"]
        secret = url.split("/")[-2]
        for wrong in (
            url[:-5] + "x.wav",
            url.replace(secret, "0" + secret[1:] if secret[0] != "0" else "1" + secret[1:]),
        ):
            assert httpx.get(wrong).status_code == 404
            assert httpx.get(f"{wrong}/download").status_code == 404

    def test_it_ends_with_the_voicemail(self, server, alice, voicemail):
        path, before = f"/api/accounts/me/voicemails/{voicemail['id']}", stored(server)
        assert server.http.delete(path, headers=alice.headers).status_code == 200
        assert httpx.get(voicemail["download_url"]).status_code == 404
        assert server.http.delete(path, headers=alice.headers).status_code == 404
        assert stored(server) == (before[0] - 1, before[1] - 3, before[2])

    def test_it_is_out_of_reach_while_the_account_is_blocked_or_deactivated(self, server, admin, alice, voicemail):
        path = voicemail["download_url"].removeprefix(server.url)
        statuses = []
        for verb in ("block", "unblock", "deactivate", "activate"):
            assert server.http.post(f"/api/accounts/{alice.id}/{verb}", headers=admin.headers).status_code == 200
            statuses += [server.http.get(each).status_code for each in (path, f"{path}/download")]
        assert statuses == [404, 404, 200, 200] * 2

    def test_a_client_that_reads_slowly_is_waited_for_and_one_that_leaves_ends_it(self, server, alice):
        voicemail = left(server, alice, wav(8 * MIB))
        with httpx.stream("GET", voicemail["download_url"]) as answer:
            next(answer.iter_raw())
        with httpx.stream("GET", voicemail["download_url"]) as answer:
            assert sum(map(len, answer.iter_raw(1000))) == 8 * MIB


class TestRoles:
    def test_administrators_see_what_there_is_and_not_the_sound(self, server, admin, alice):
        voicemail = left(server, alice)
        path = f"/api/accounts/{alice.id}/voicemails"
        (seen,) = server.http.get(path, headers=admin.headers).json()
        assert seen == {**voicemail, "download_url": None}
        one = f"{path}/{voicemail['id']}"
        assert server.http.get(one, headers=admin.headers).json() == seen
        assert server.http.delete(one, headers=admin.headers).status_code == 200
        assert server.http.get(one, headers=admin.headers).status_code == 404

    def test_the_key_of_flexisip_announces_and_does_no_more(self, server, alice):
        path, body = f"/api/accounts/{alice.id}/voicemails", {"sip_from": "sip:bob@x.org", "content_type": "audio/wav"}
        flexisip, other = server.named_key("flexisip"), server.named_key("push", "accounts:read")
        answer = server.http.post(path, json=body, headers=flexisip)
        assert answer.status_code == 201
        assert server.http.post(path, json=body, headers=other).status_code == 403
        assert upload(server, answer.json()).status_code == 200
        one = f"{path}/{answer.json()['id']}"
        for verb, of in (("get", path), ("get", one), ("delete", one)):
            assert getattr(server.http, verb)(of, headers=flexisip).status_code == 403

    def test_users_see_their_own_alone(self, server, alice):
        voicemail, other = left(server, alice), server.person()
        path = f"/api/accounts/me/voicemails/{voicemail['id']}"
        for verb in ("get", "delete"):
            assert getattr(server.http, verb)(path, headers=other.headers).status_code == 404
            own = path.replace("me", str(alice.id))
            assert getattr(server.http, verb)(own, headers=other.headers).status_code == 403
        assert len(listed(server, alice)) == 1


class TestEnds:
    def test_they_expire_with_their_files(self, server, alice):
        before = stored(server)
        voicemail = left(server, alice)
        server.later(days=31)
        try:
            assert server.run(server.services.calls.voicemails.box_of(alice.account)).voicemails == []
            assert httpx.get(voicemail["download_url"]).status_code == 404
            assert server.run(server.services.calls.voicemails.sweep(server.actor)) >= 1
        finally:
            server.clock.offset -= server.clock.offset
        assert listed(server, alice) == []
        assert stored(server)[0] <= before[0]

    def test_they_go_with_the_account(self, server, alice):
        before = stored(server)
        voicemail, slot = left(server, alice, wav(600_000)), announce(server, alice).json()
        assert server.http.delete("/api/accounts/me", headers=alice.headers).status_code == 200
        assert httpx.get(voicemail["download_url"]).status_code == 404
        assert upload(server, slot).status_code == 404
        assert stored(server) == before

    def test_an_account_that_is_removed_meanwhile_leaves_no_box(self, server, alice):
        """A removal may come between the look-up of the account and the slot."""
        removed = server.account(alice.id)
        server.http.delete("/api/accounts/me", headers=alice.headers)

        async def late():
            await server.services.calls.voicemails.announce(removed, None, "audio/wav", server.actor)

        with pytest.raises(Exception, match="does not exist"):
            server.run(late())

        async def boxes():
            return await server.store._database["voicemail_boxes"].count_documents({"_id": alice.id})

        assert server.run(boxes()) == 0

    def test_what_a_crash_left_is_swept_and_what_a_voicemail_has_is_not(self, server, alice):
        voicemail = left(server, alice)
        files, store, before = server.store.voicemails.files, server.store.voicemails, stored(server)

        async def crashed():
            half = await files.begin(server.clock.now())
            await files.add(half, 0, bytes(1000))
            whole = await files.begin(server.clock.now())
            await files.add(whole, 0, bytes(1000))
            await files.complete(whole, 1000, "x.wav", server.clock.now())
            kept = await store.one(alice.id, voicemail["id"], server.clock.now())
            await files.leave([kept.file_id], server.clock.now())

        server.run(crashed())
        sweep = server.services.calls.voicemails.sweep
        assert server.run(sweep(server.actor)) == 0
        server.later(hours=2)
        try:
            assert server.run(sweep(server.actor)) == 2
        finally:
            server.clock.offset -= server.clock.offset
        assert stored(server) == before
        assert httpx.get(voicemail["download_url"]).status_code == 200


class TestTrouble:
    def test_a_database_that_goes_away_is_told_and_the_slot_stays(self, server, alice, monkeypatch):
        slot, before, add = announce(server, alice).json(), stored(server), VoicemailFiles.add

        async def away(files, file_id, number, chunk):
            if number:
                raise StoreUnavailable
            await add(files, file_id, number, chunk)

        with monkeypatch.context() as patched:
            patched.setattr(VoicemailFiles, "add", away)
            answer = upload(server, slot, wav(MIB))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert stored(server)[0] == before[0]
        assert upload(server, slot).status_code == 200
        server.later(hours=2)
        try:
            assert server.run(server.services.calls.voicemails.sweep(server.actor)) == 1
        finally:
            server.clock.offset -= server.clock.offset
        assert stored(server) == (before[0] + 1, before[1] + 1, before[2])

    def test_a_database_that_goes_away_cuts_a_download(self, server, alice, monkeypatch):
        voicemail, chunks = left(server, alice, wav(MIB)), VoicemailFiles.chunks

        async def away(files, file_id, first):
            if first:
                raise StoreUnavailable
            return await chunks(files, file_id, first)

        monkeypatch.setattr(VoicemailFiles, "chunks", away)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(voicemail["download_url"])

    @pytest.mark.skipif(KIND == "tornado", reason="Tornado closes the connection without an answer")
    def test_a_body_that_takes_too_long_ends_and_the_slot_stays(self, tmp_path, mongod_uri):
        with serving({"voicemail": {"upload_seconds": 0.1}}, tmp_path, mongod_uri) as server:
            alice = server.person()
            slot = announce(server, alice).json()
            status, _ = raw_upload(server, slot, form(wav())[:1000], 4000)
            assert status == 408
            wait_for(lambda: stored(server)[2] == 0)
            assert upload(server, slot).status_code == 200


def test_clients_that_do_not_read_keep_no_other_requests_out_but_further_transfers(tmp_path, mongod_uri):
    with serving({"server": {"most_requests": 1}}, tmp_path, mongod_uri) as server, contextlib.ExitStack() as slow:
        alice = server.person()
        path = left(server, alice, wav(8 * MIB))["download_url"].removeprefix(server.url)
        for _ in range(2):
            client = slow.enter_context(socket.create_connection(server.sockets[0].getsockname(), timeout=60))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.recv(1)
        assert server.http.get("/api/accounts/me", headers=alice.headers).status_code == 200
        assert server.http.get(path).status_code == 503


def test_switched_off_there_is_none(tmp_path, mongod_uri):
    with serving({"voicemail": {"enabled": False}}, tmp_path, mongod_uri) as server:
        alice = server.person()
        assert announce(server, alice).status_code == 404
        assert server.http.get("/api/accounts/me/voicemails", headers=alice.headers).status_code == 404


def connection(server):
    return socket.create_connection(server.sockets[0].getsockname(), timeout=60)


def head_of(server, slot, length, *lines):
    path = slot["upload_url"].removeprefix(server.url)
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {CONTENT_TYPE}", f"Content-Length: {length}", *lines]
    return "\r\n".join([*lines, "", ""]).encode()


def raw_upload(server, slot, body, length, *lines):
    with connection(server) as client:
        client.sendall(head_of(server, slot, length, *lines) + body)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    return int(answer.split()[1]), answer
