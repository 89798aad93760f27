"""Accounts in the hands of an administrator: lists, searches, replacement, activation, removal."""

import asyncio
from urllib.parse import quote

import httpx
import pytest

from flexiapi.api.views.pages import _window

BODY = {"username": "bob.builder", "password": "another-horse", "algorithm": "SHA-256"}


@pytest.fixture
def people(server):
    return [server.person(f"user.{number:03}") for number in range(45)]


def test_a_page_has_every_key_that_clients_read(server, http, admin, people):
    page = http.get("/api/accounts?page=2", headers=admin.headers).json()
    path = f"{server.url}/api/accounts"
    data = page.pop("data")
    assert [account["username"] for account in data] == [f"user.{number:03}" for number in range(19, 39)]
    assert "passwords" not in data[0]
    assert "provisioning_token" not in data[0]
    assert page == {
        "current_page": 2,
        "first_page_url": f"{path}?page=1",
        "from": 21,
        "last_page": 3,
        "last_page_url": f"{path}?page=3",
        "links": [
            {"url": f"{path}?page=1", "label": "&laquo; Previous", "active": False},
            {"url": f"{path}?page=1", "label": "1", "active": False},
            {"url": f"{path}?page=2", "label": "2", "active": True},
            {"url": f"{path}?page=3", "label": "3", "active": False},
            {"url": f"{path}?page=3", "label": "Next &raquo;", "active": False},
        ],
        "next_page_url": f"{path}?page=3",
        "path": path,
        "per_page": 20,
        "prev_page_url": f"{path}?page=1",
        "to": 40,
        "total": 46,
        "search_incomplete": False,
    }


@pytest.mark.parametrize("number", ["99999999", "1" + "0" * 15, "9" * 400, "9" * 5000])
@pytest.mark.parametrize("more", ["", "&activated=1"])
def test_a_page_beyond_the_end_is_empty(http, admin, number, more):
    page = http.get(f"/api/accounts?page={number}{more}", headers=admin.headers).json()
    assert (page["data"], page["from"], page["to"], page["total"], page["last_page"]) == ([], None, None, 1, 1)
    assert page["next_page_url"] is None


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.5", "", "true", "0" * 400, "0" * 400 + "1"])
def test_what_is_no_page_number_means_the_first(http, admin, number):
    page = http.get("/api/accounts", params={"page": number}, headers=admin.headers).json()
    assert (page["current_page"], page["prev_page_url"]) == (1, None)


@pytest.mark.parametrize(
    ("current", "last", "shown"),
    [
        (1, 1, [1]),
        (9, 13, list(range(1, 14))),
        (7, 14, [*range(1, 11), 13, 14]),
        (8, 14, [1, 2, *range(5, 15)]),
        (8, 30, [1, 2, *range(5, 12), 29, 30]),
        (23, 30, [1, 2, *range(20, 27), 29, 30]),
        (24, 30, [1, 2, *range(21, 31)]),
        (500, 30, [1, 2, *range(21, 31)]),
    ],
)
def test_the_window_of_page_numbers(current, last, shown):
    assert _window(current, last) == shown


def test_gaps_in_the_links_are_marked(server, http, admin):
    async def many():
        first = await server.store.counters.next("accounts")
        documents = [
            {"_id": first + i, "username": f"u{i}", "domain": "sip.example.org", "identifiers": [f"sip:u{i}@x"]}
            | {"created_at": server.clock.second(), "updated_at": server.clock.second()}
            for i in range(400)
        ]
        await server.store._database["accounts"].insert_many(documents)
        await server.store.counters.raise_to("accounts", first + 400)

    server.run(many())
    page = http.get("/api/accounts?page=10", headers=admin.headers).json()
    labels = [link["label"] for link in page["links"]]
    numbers = ["1", "2", "...", "7", "8", "9", "10", "11", "12", "13", "...", "20", "21"]
    assert labels == ["&laquo; Previous", *numbers, "Next &raquo;"]
    assert {"url": None, "label": "...", "active": False} in page["links"]


class TestTotals:
    def ids(self, server, admin, **query):
        found, number = [], 1
        while True:
            page = server.http.get("/api/accounts", params={"page": number, **query}, headers=admin.headers).json()
            if not page["data"]:
                assert page["total"] == len(found)
                return found
            found += [account["id"] for account in page["data"]]
            number += 1

    def test_pages_follow_creations_and_removals(self, server, http, admin, people):
        everybody = [admin.id, *(person.id for person in people)]
        assert self.ids(server, admin) == everybody
        gone = {people[i].id for i in (0, 13, 14, 44)}
        for account_id in gone:
            assert http.delete(f"/api/accounts/{account_id}", headers=admin.headers).status_code == 200
        new = server.person("new.comer").id
        assert self.ids(server, admin) == [*(number for number in everybody if number not in gone), new]


class TestManyDomains:
    @pytest.fixture
    def configure(self):
        return {"app": {"admins_manage_multi_domains": True}}

    def test_all_domains_are_listed_and_one_can_be_asked_for(self, server, http, admin):
        other = server.person("carol.other", domain="other.example.org")
        listed = http.get("/api/accounts", headers=admin.headers).json()
        assert [account["id"] for account in listed["data"]] == [admin.id, other.id]
        one = http.get("/api/accounts?domain=Other.example.org", headers=admin.headers).json()
        assert ([account["id"] for account in one["data"]], one["total"]) == ([other.id], 1)

    def test_put_keeps_the_domain_that_is_not_given_and_changes_one_that_is(self, server, http, admin):
        other = server.person("carol.other", domain="other.example.org")
        url = f"/api/accounts/{other.id}"
        assert http.put(url, json=BODY, headers=admin.headers).json()["domain"] == "other.example.org"
        moved = http.put(url, json={**BODY, "domain": "third.example.org"}, headers=admin.headers).json()
        assert moved["domain"] == "third.example.org"
        assert http.get(f"/api/accounts/{BODY['username']}@third.example.org/search", headers=admin.headers).is_success
        for domain, total in (("other.example.org", 0), ("third.example.org", 1)):
            assert http.get(f"/api/accounts?domain={domain}", headers=admin.headers).json()["total"] == total


class TestFilters:
    @pytest.fixture
    def some(self, server, admin):
        server.person("dora.first", email="dora@example.com", phone="+33611111111")
        server.person("dora.second", email="second@example.com", activated=False)
        server.person("emil.third", phone="+33622222222", display_name="Amélie [Dr.] Thirteen")
        server.person("dora.elsewhere", domain="other.example.org")

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("activated=0", ["dora.second"]),
            ("activated=1&admin=0", ["dora.first", "emil.third"]),
            ("admin=1", ["the.admin"]),
            ("search=Dora", ["dora.first", "dora.second"]),
            ("search=dora&activated=1", ["dora.first"]),
            ("search=%2B336", ["dora.first", "emil.third"]),
            ("search=second@", ["dora.second"]),
            ("search=emil.third@sip.example.org", ["emil.third"]),
            ("search=.*", []),
            ("search=irst", ["dora.first"]),
            ("search=second", ["dora.second"]),
            ("search=first+dora", ["dora.first"]),
            ("search=dora.first", ["dora.first"]),
            ("search=amelie", ["emil.third"]),
            ("search=AM%C3%89LIE+thi", ["emil.third"]),
            ("search=3361111", ["dora.first"]),
            ("search=sip:dora.f", ["dora.first"]),
            ("search=dora.first@sip.ex", ["dora.first"]),
            ("search=dora@", ["dora.first"]),
            ("search=dora@other", []),
            ("search=%5B", ["emil.third"]),
            ("search=@", ["dora.first", "dora.second"]),
            ("domain=sip.example.org&search=emil", ["emil.third"]),
            ("domain=other.example.org", []),
        ],
    )
    def test_lists_are_narrowed(self, http, admin, some, query, names):
        page = http.get(f"/api/accounts?{query}", headers=admin.headers).json()
        assert [account["username"] for account in page["data"]] == names
        assert page["total"] == len(names)

    def test_the_urls_of_other_pages_have_the_filters(self, server, http, admin, people):
        query = {"domain": "sip.example.org", "activated": "1", "admin": "false", "search": "User"}
        page = http.get("/api/accounts", params=query, headers=admin.headers).json()
        start = f"{server.url}/api/accounts?domain=sip.example.org&activated=1&admin=0&search=User&page="
        assert (page["path"], page["total"]) == (f"{server.url}/api/accounts", 45)
        named = [page["first_page_url"], page["next_page_url"], page["last_page_url"], page["links"][1]["url"]]
        assert named == [start + number for number in "1231"]
        after = http.get(page["next_page_url"], headers=admin.headers).json()
        assert (after["current_page"], after["total"], after["from"]) == (2, 45, 21)
        assert after["prev_page_url"] == start + "1"

    def test_what_is_searched_for_is_quoted_in_the_urls(self, http, admin):
        page = http.get("/api/accounts", params={"search": "+33 &page=9#"}, headers=admin.headers).json()
        assert page["first_page_url"].endswith("/api/accounts?search=%2B33+%26page%3D9%23&page=1")

    def test_wrong_filters_are_told(self, http, admin):
        answer = http.get("/api/accounts?activated=perhaps", headers=admin.headers)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["activated"])


class TestSearch:
    def test_by_sip_address_raw_encoded_and_with_scheme(self, http, admin, alice):
        for path in (alice.sip, alice.sip.replace("@", "%40"), f"sip:{alice.sip}"):
            found = http.get(f"/api/accounts/{path}/search", headers=admin.headers)
            assert (found.status_code, found.json()["id"]) == (200, alice.id)
            assert "confirmation_key" not in found.json()

    @pytest.mark.parametrize("path", ["nobody@sip.example.org", "alice.martin", "alice.martin@other.example.org"])
    def test_what_is_not_there_is_not_found(self, http, admin, alice, path):
        assert http.get(f"/api/accounts/{path}/search", headers=admin.headers).status_code == 404

    def test_by_email_in_any_case_and_the_first_of_several(self, server, http, admin):
        first = server.person(email="shared@example.com")
        server.person(email="shared@example.com")
        found = http.get("/api/accounts/Shared@EXAMPLE.com/search-by-email", headers=admin.headers)
        assert found.json()["id"] == first.id
        assert http.get("/api/accounts/none@example.com/search-by-email", headers=admin.headers).status_code == 404

    @pytest.mark.parametrize(
        ("given", "searched"),
        [
            ("Bob@Bücher.example", "bob@xn--bcher-kva.example"),
            ("bob@xn--bcher-kva.example", "bob@xn--bcher-kva.example"),
            ("Ame\u0301lie@example.com", "ame\u0301lie@example.com"),
            ("am\u00e9lie@example.com", "AME\u0301LIE@example.com"),
        ],
    )
    def test_by_email_in_the_form_that_was_given(self, http, admin, given, searched):
        made = http.post("/api/accounts", json={**BODY, "email": given}, headers=admin.headers).json()
        for email in (given, searched, made["email"]):
            found = http.get(f"/api/accounts/{quote(email)}/search-by-email", headers=admin.headers)
            assert (found.status_code, found.json().get("id")) == (200, made["id"])

    def test_by_what_is_no_email(self, server, http, admin):
        odd = server.person(email="from an import")
        found = http.get("/api/accounts/From%20an%20import/search-by-email", headers=admin.headers)
        assert found.json()["id"] == odd.id

    def test_accounts_of_other_domains_are_invisible(self, server, http, admin):
        other = server.person(domain="other.example.org", email="o@example.com")
        headers = admin.headers
        for path in (f"{other.sip}/search", "o@example.com/search-by-email", str(other.id)):
            assert http.get(f"/api/accounts/{path}", headers=headers).status_code == 404
        assert http.put(f"/api/accounts/{other.id}", json=BODY, headers=headers).status_code == 404
        for action in ("activate", "deactivate"):
            assert http.post(f"/api/accounts/{other.id}/{action}", headers=headers).status_code == 404
        assert http.delete(f"/api/accounts/{other.id}", headers=headers).status_code == 404


class TestReplacement:
    def put(self, http, by, person, **changes):
        body = {"username": person.account.username, "password": person.password, "algorithm": "SHA-256", **changes}
        return http.put(f"/api/accounts/{person.id}", json=body, headers=by.headers)

    def test_everything_is_replaced_and_what_is_absent_is_reset(self, server, http, admin):
        bob = server.person(
            "bob.builder", email="b@example.com", phone="+33611111111", display_name="Bob", dtmf_protocol="sipinfo"
        )
        new = {"username": "bob.other", "email": "n@example.com", "display_name": "B", "phone": "+33622222222"}
        changed = self.put(http, admin, bob, **new, dtmf_protocol="rfc2833", admin="1").json()
        assert {name: changed[name] for name in new} == new
        assert (changed["dtmf_protocol"], bool(changed["admin"])) == ("rfc2833", True)
        reset = self.put(http, admin, bob).json()
        fields = ("email", "phone", "display_name", "dtmf_protocol", "admin")
        assert {reset[name] for name in fields} == {None}
        assert reset["username"] == "bob.builder"
        assert reset["activated"] is True
        assert reset["user_agent"].startswith("python-httpx")

    def test_own_names_may_be_sent_again(self, configure, server, http, admin):
        bob = server.person("bob.builder", email="b@example.com", phone="+33611111111")
        assert self.put(http, admin, bob, email="b@example.com", phone="+33611111111").status_code == 200

    @pytest.mark.parametrize("username", ["bob", "+33612345678"])
    def test_the_rules_of_names_are_for_names_that_change(self, server, http, admin, username):
        old = server.person(username)
        assert self.put(http, admin, old).status_code == 200
        refused = self.put(http, admin, server.person(), username=username + "1")
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["username"])

    def test_names_of_others_are_refused(self, server, http, admin, alice):
        other = server.person(phone="+33611111111")
        refused = self.put(http, admin, alice, username=other.account.username, phone="+33611111111")
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["username", "phone"])

    def test_validation_comes_before_the_lookup(self, http, admin):
        assert http.put("/api/accounts/999", json={}, headers=admin.headers).status_code == 422
        assert http.put("/api/accounts/999", json=BODY, headers=admin.headers).status_code == 404

    def test_another_password_signs_out_and_ends_codes(self, server, http, admin, alice):
        assert http.get("/api/accounts/me", **alice.digest).status_code == 200
        server.set(alice.id, email="a@example.com")
        before = server.account(alice.id)
        assert self.put(http, admin, alice, password="brand-new-one", email="a@example.com").status_code == 200
        assert server.account(alice.id).sign_in_epoch == before.sign_in_epoch + 1
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
        assert http.get("/api/accounts/me", **alice.digest).status_code == 401
        alice.password = "brand-new-one"
        assert http.get("/api/accounts/me", **alice.digest).status_code == 200
        assert [message["to"] for message in server.messages] == ["a@example.com"]

    def test_the_same_password_signs_nobody_out(self, http, admin, alice):
        assert self.put(http, admin, alice, display_name="Alice").status_code == 200
        assert http.get("/api/accounts/me", headers=alice.headers).json()["display_name"] == "Alice"

    def test_an_administrator_keeps_the_key_of_the_request(self, http, admin):
        assert self.put(http, admin, admin, password="brand-new-one", admin=True).status_code == 200
        assert http.get("/api/accounts/me", headers=admin.headers).status_code == 200

    def test_notices_go_to_the_old_address(self, server, http, admin):
        bob = server.person("bob.builder", email="old@example.com", phone="+33611111111")
        self.put(http, admin, bob, email="new@example.com", phone="+33622222222")
        assert [message["to"] for message in server.messages] == ["old@example.com"] * 2

    def test_a_first_activation_survives_another_password(self, http, admin):
        made = http.post("/api/accounts", json={**BODY, "username": "not.yet"}, headers=admin.headers).json()
        url = f"/api/accounts/{made['id']}"
        body = {**BODY, "username": "not.yet", "password": "brand-new-one"}
        assert http.put(url, json=body, headers=admin.headers).json()["confirmation_key"] == made["confirmation_key"]


class TestLastAdmin:
    def test_neither_demoted_nor_deactivated_nor_deleted(self, server, http, admin):
        server.person("idle.admin", admin_since=server.clock.second(), activated=False)
        url = f"/api/accounts/{admin.id}"
        body = {"username": "the.admin", "password": admin.password, "algorithm": "SHA-256"}
        assert http.put(url, json=body, headers=admin.headers).status_code == 403
        assert http.get(f"{url}/deactivate", headers=admin.headers).status_code == 403
        assert http.post(f"{url}/deactivate", headers=admin.headers).status_code == 403
        assert http.delete(url, headers=admin.headers).status_code == 403
        assert http.delete("/api/accounts/me", headers=admin.headers).status_code == 403
        assert http.get(url, headers=admin.headers).json()["activated"] is True

    def test_two_that_remove_each_other_at_once_leave_one(self, server, admin):
        second = server.person("the.second", admin_since=server.clock.second())

        async def at_once():
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                answers = await asyncio.gather(
                    client.delete(f"/api/accounts/{second.id}", headers=admin.headers),
                    client.post(f"/api/accounts/{admin.id}/deactivate", headers=second.headers),
                )
                return sorted(answer.status_code for answer in answers)

        statuses = asyncio.run(at_once())
        assert statuses[0] == 200
        assert statuses[1] in (401, 403)


class TestDeactivation:
    def test_it_shuts_out_at_once_and_activation_lets_in_again(self, server, http, admin, alice):
        token = http.get(f"/api/accounts/{alice.id}/provision", headers=admin.headers).json()["provisioning_token"]
        shut = http.get(f"/api/accounts/{alice.id}/deactivate", headers=admin.headers)
        assert (shut.status_code, shut.json()["activated"]) == (200, False)
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
        assert http.get("/api/accounts/me", **alice.digest).status_code == 401
        assert "ha1" not in http.get(f"/provisioning/{token}").text
        opened = http.get(f"/api/accounts/{alice.id}/activate", headers=admin.headers)
        assert (opened.status_code, opened.json()["activated"]) == (200, True)
        assert http.get("/api/accounts/me", **alice.digest).status_code == 200

    def test_post_does_the_same(self, http, admin, alice):
        for verb, is_active in (("deactivate", False), ("activate", True)):
            answer = http.post(f"/api/accounts/{alice.id}/{verb}", headers=admin.headers)
            assert (answer.status_code, answer.json()["activated"]) == (200, is_active)

    def test_head_changes_nothing(self, http, admin, alice):
        assert http.head(f"/api/accounts/{alice.id}/deactivate", headers=admin.headers).status_code == 200
        assert http.get(f"/api/accounts/{alice.id}", headers=admin.headers).json()["activated"] is True

    def test_who_waits_for_the_activation_may_sign_in(self, server, http):
        waiting = server.person(activated=False)
        assert http.get("/api/accounts/me", **waiting.digest).json()["activated"] is False


def test_deletion_leaves_a_name_for_nobody_and_no_trace_in_contacts(server, http, admin, alice):
    bob = server.person(contact_ids=(alice.id,))
    assert http.delete(f"/api/accounts/{alice.id}", headers=admin.headers).json() == {}
    assert http.get(f"/api/accounts/{alice.id}", headers=admin.headers).status_code == 404
    assert http.delete(f"/api/accounts/{alice.id}", headers=admin.headers).status_code == 404
    assert server.account(bob.id).contact_ids == ()
    assert server.run(server.store.tombstones.has(alice.sip))


@pytest.mark.parametrize("email", ["bob@pbx.local", "bob@intranet", "bob@mail.test"])
def test_mail_addresses_of_closed_networks(http, admin, email):
    body = {"username": "bob.closed", "password": "correct-horse-battery", "algorithm": "MD5", "email": email}
    answer = http.post("/api/accounts", json=body, headers=admin.headers)
    assert (answer.status_code, answer.json().get("email")) == (200, email)
