"""Two spaces in one server: hosts, administrators, registration, mails. `test_spaces` tries every operation."""

from typing import ClassVar
from urllib.parse import quote

import httpx
import pytest

from tests.kit.person import PASSWORD
from tests.kit.server import serving
from tests.kit.spaces import A, B, actor_of, world
from tests.kit.stranger import pin_of

C = "c.example.org"
LOOSE = {"username_min_length": 2, "password_min_length": 3, "blacklisted_usernames": ["carol.jones"]}
BODY = {"username": "bob.builder", "password": PASSWORD, "algorithm": "SHA-256", "phone": "+33612345678"}


@pytest.fixture(scope="class")
def server(request, mongod_uri, tmp_path_factory):
    """A server with the settings of the class, which its tests share."""
    with serving(request.cls.configured, tmp_path_factory.mktemp("spaces"), mongod_uri) as running:
        yield running


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


class TestSpacesOfOneServer:
    """Hosts, mails and last administrators, which the sweep does not try."""

    configured: ClassVar = {
        "spaces": {B: {"name": "Bee", "realm": "bees"}, C: {}},
        "server": {"trusted_proxies": ["127.0.0.1"]},
    }

    def test_the_host_decides_also_behind_a_trusted_proxy(self, server, http):
        here, there = server.person().sip, server.person(domain=B).sip
        for headers, realm in (
            ({"Host": B}, "bees"),
            ({"Host": f"{B.upper()}.:8443"}, "bees"),
            ({"Host": "unknown.example"}, None),
            ({"Host": A, "X-Forwarded-Host": B}, "bees"),
            ({"Host": B, "X-Forwarded-Host": A}, None),
            ({"Host": A, "X-Forwarded-Host": f"{A}, {B}"}, "bees"),
        ):
            known, unknown = (there, here) if realm else (here, there)
            answer = http.get(f"/api/accounts/{known}/info", headers=headers)
            assert answer.json() == {"activated": True, "realm": realm}, headers
            assert http.get(f"/api/accounts/{unknown}/info", headers=headers).status_code == 404, headers

    @pytest.mark.parametrize("ending", ["", f";space={B}", f"\0{B}"])
    def test_a_token_of_one_space_is_unknown_in_the_other_whatever_is_added(self, server, http, ending):
        person, there = server.person(), {"Host": B}
        token = http.post("/api/accounts/auth_token", headers=there).json()["token"]
        path = "/api/accounts/auth_token/{}/attach"
        answer = http.get(path.format(quote(token + ending)), headers=person.headers)
        assert answer.status_code in (400, 404), answer.text
        made = http.post("/api/account_creation_request_tokens", headers=there).json()
        page = f"/creation_token/check/{quote(made['token'] + ending)}"
        assert http.get(page).status_code in (400, 404)
        if not ending:
            assert http.get(page, headers=there).status_code == 200
            other = server.person(domain=B)
            assert http.get(path.format(token), headers={**other.headers, **there}).status_code == 200

    def test_an_empty_forwarded_host_names_none(self, server, http):
        person = server.person(domain=B)
        headers = {"Host": B, "X-Forwarded-Host": ""}
        assert http.get(f"/api/accounts/{person.sip}/info", headers=headers).status_code == 200

    def test_digest_of_another_domain_is_refused_alike_whether_the_account_exists(self, server, http):
        person = server.person(domain=B)
        for sip in (person.sip, f"nobody@{B}"):
            answer = http.get("/api/accounts/me", headers={"From": f"sip:{sip}"})
            assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (401, None)
        assert (
            http.get("/api/accounts/me", headers={"From": f"sip:{person.sip}", "Host": B})
            .headers["WWW-Authenticate"]
            .startswith('Digest realm="bees"')
        )

    def test_a_mail_is_in_the_name_of_the_space_and_leads_to_its_host(self, server, http):
        admin = server.person(domain=B, admin_since=server.clock.second())
        person = server.person(domain=B, email="bob@example.com")
        http.post(f"/api/accounts/{person.id}/recover-by-email", headers={**admin.headers, "Host": B})
        mail = server.messages[-1]
        assert (mail["to"], mail["subject"]) == ("bob@example.com", "Recover your Bee account")
        assert f"//{B}:" in mail["text"]

    def test_each_space_keeps_its_last_administrator(self, server, http):
        server.person(admin_since=server.clock.second())
        admin = server.person(domain=C, admin_since=server.clock.second())
        answer = http.delete(f"/api/accounts/{admin.id}", headers={**admin.headers, "Host": C})
        assert answer.json()["message"].startswith("This is the last activated administrator")

    def test_a_number_is_claimed_in_each_space_for_itself(self, server, http):
        body = {"password": PASSWORD, "algorithm": "SHA-256", "phone": "+33612345679"}

        def claim(domain, **more):
            token = server.run(server.services.codes.creation_tokens.make(actor_of(server, domain)))
            values = {**body, **more, "account_creation_token": token}
            return http.post("/api/accounts/public", json=values, headers={"Host": domain})

        def activate(domain, pin):
            path = f"/api/accounts/{body['phone']}@{domain}/activate/phone"
            return http.post(path, json={"confirmation_key": pin}, headers={"Host": domain})

        first = {domain: (claim(domain).json()["id"], pin_of(server.messages[-1])) for domain in (A, B)}
        assert [server.account(first[domain][0]).domain for domain in (A, B)] == [A, B]
        assert [claim(domain).status_code for domain in (A, B)] == [422, 422]
        server.later(minutes=11)
        again, pin = claim(B).json()["id"], pin_of(server.messages[-1])
        assert server.account(first[B][0]) is None
        assert claim(A, username="other.name", email="o@example.org").status_code == 200
        assert server.account(first[A][0]).is_claim
        assert activate(A, pin).status_code == 404
        assert activate(B, pin).json()["id"] == again
        assert server.account(first[A][0]).is_claim
        answers = [claim(A), claim(B)]
        assert [answer.status_code for answer in answers] == [200, 422]
        assert activate(A, pin_of(server.messages[-1])).json()["phone"] == body["phone"]
        assert server.account(again).phone == body["phone"]


class TestWithoutTrustedProxies:
    configured: ClassVar = {"spaces": {B: {}}}

    def test_a_forwarded_host_decides_nothing(self, server, http):
        url = f"/api/accounts/{server.person(domain=B).sip}/info"
        assert http.get(url, headers={"X-Forwarded-Host": B}).status_code == 404
        assert http.get(url, headers={"Host": B}).status_code == 200


class TestAdministratorsOfAllDomains:
    """With `admins_manage_multi_domains`, those of the default space see all domains, and others only their own."""

    configured: ClassVar = {"app": {"admins_manage_multi_domains": True}, "spaces": {B: {"realm": "bees"}, C: LOOSE}}

    def test_one_of_the_default_space_makes_accounts_in_another(self, server, http, admin):
        made = http.post("/api/accounts", json={**BODY, "domain": B}, headers=admin.headers).json()
        account = server.account(made["id"])
        assert account.domain == B
        seen = http.get(f"/api/accounts/{account.id}", headers=admin.headers).json()
        assert (seen["domain"], seen["realm"]) == (B, "bees")
        assert http.post("/api/accounts", json=BODY, headers=admin.headers).json()["phone"] == "+33612345678"
        assert http.get("/api/accounts", headers=admin.headers).json()["total"] == 3
        signed_in = {"auth": httpx.DigestAuth("bob.builder", PASSWORD), "headers": {"From": f"sip:bob.builder@{B}"}}
        server.apply(account.activate(server.clock.second()))
        assert (
            http.get("/api/accounts/me", auth=signed_in["auth"], headers={**signed_in["headers"], "Host": B}).json()[
                "id"
            ]
            == account.id
        )

    def test_names_and_passwords_follow_the_rules_of_the_domain(self, server, http, admin):
        short = {"username": "cy", "password": "c-d", "algorithm": "SHA-256"}
        blocked = {**short, "username": "carol.jones"}
        url, headers = "/api/accounts", admin.headers
        made = http.post(url, json={**short, "domain": C}, headers=headers)
        assert made.status_code == 200
        refused = (({**short, "domain": A}, ["username", "password"]), ({**blocked, "domain": C}, ["username"]))
        for body, faulty in refused:
            assert list(http.post(url, json=body, headers=headers).json()["errors"]) == faulty
            account = server.person(domain=body["domain"])
            assert list(http.put(f"{url}/{account.id}", json=body, headers=headers).json()["errors"]) == faulty
        same = f"{url}/{made.json()['id']}"
        assert http.put(same, json={**short, "password": "e-f"}, headers=headers).status_code == 200
        moved = http.put(same, json={**short, "domain": A}, headers=headers)
        assert list(moved.json()["errors"]) == ["username", "password"]

    def test_what_it_attaches_is_of_the_space_of_the_account(self, server, http, admin):
        one = world(server, B)
        own = world(server, A)
        url = f"/api/accounts/{one.member.id}"
        for path in (f"types/{own.type_id}", f"contacts_lists/{own.list_id}", f"contacts/{own.contact.id}"):
            assert http.post(f"{url}/{path}", headers=admin.headers).status_code == 404

    def test_what_is_of_a_space_stays_there_when_an_account_moves(self, server, http, admin):
        one, member = world(server, B), world(server, A).member
        moved = {"username": one.member.username, "password": PASSWORD, "algorithm": "SHA-256", "domain": C}
        kept = {**moved, "username": member.username, "domain": A}
        links = []
        for account, body in ((one.member, moved), (member, kept)):
            answer = http.put(f"/api/accounts/{account.id}", json=body, headers=admin.headers)
            assert answer.status_code == 200
            now = server.account(account.id)
            links.append((len(answer.json()["types"]), len(now.contact_ids), len(now.contacts_list_ids)))
        assert links == [(0, 0, 0), (1, 1, 1)]

    def test_a_type_of_another_space_or_a_removed_one_is_not_shown(self, server, http, admin):
        one, other = world(server, B), world(server, A)
        server.set(one.member.id, type_ids=(other.type_id, one.type_id, 999_999))
        shown = http.get(f"/api/accounts/{one.member.id}", headers=admin.headers).json()["types"]
        assert [found["id"] for found in shown] == [one.type_id]

    def test_the_last_one_of_a_space_is_not_moved_away(self, server, http, admin):
        last = server.person(domain=C, admin_since=server.clock.second())
        body = {**BODY, "username": last.account.username, "phone": None, "admin": True}
        moved = http.put(f"/api/accounts/{last.id}", json={**body, "domain": A}, headers=admin.headers)
        assert (moved.status_code, server.account(last.id).domain) == (403, C)
        assert moved.json()["message"].startswith("This is the last activated administrator")
        kept = http.put(f"/api/accounts/{last.id}", json={**body, "domain": C}, headers=admin.headers)
        assert (kept.status_code, server.account(last.id).is_admin) == (200, True)

    def test_one_of_another_space_names_no_domain(self, server, http):
        admin = server.person(domain=B, admin_since=server.clock.second())
        made = http.post(
            "/api/accounts",
            json={**BODY, "domain": A, "phone": None, "username": "bob.other"},
            headers={**admin.headers, "Host": B},
        )
        assert made.json()["domain"] == B


class TestRegistration:
    configured: ClassVar = {
        "app": {"dangerous_endpoints": True},
        "spaces": {B: {"registration": "closed"}, C: {"registration": "invited"}},
    }

    def sign_up(self, http, host, token, username="bob.builder"):
        body = {"username": username, "password": PASSWORD, "algorithm": "SHA-256"}
        body["account_creation_token"] = token
        return http.post("/api/accounts/with-account-creation-token", json=body, headers={"Host": host})

    def token(self, server, domain):
        return server.run(server.services.codes.creation_tokens.make(actor_of(server, domain)))

    def test_closed(self, server, http):
        answer = self.sign_up(http, B, self.token(server, B))
        assert (answer.status_code, answer.json()["message"]) == (
            403,
            "Accounts of this service are made by its administrators.",
        )
        assert http.post("/api/accounts/public", json={}, headers={"Host": B}).status_code == 403

    def test_invited(self, server, http):
        requested = http.post("/api/account_creation_request_tokens", headers={"Host": C}).json()["token"]
        codes, actor = server.services.codes.creation_tokens, actor_of(server, C)
        server.run(codes.validate_request(requested, actor))
        public = server.run(codes.exchange(requested, actor))
        refused = self.sign_up(http, C, public)
        assert "is no invitation" in refused.json()["errors"]["account_creation_token"][0]
        assert self.sign_up(http, C, self.token(server, C)).status_code == 200

    def test_an_account_that_goes_takes_its_token_along(self, server, http):
        async def tokens():
            return await server.store._database["creation_tokens"].count_documents({"space": C})

        before = server.run(tokens())
        made = self.sign_up(http, C, self.token(server, C), "carol.jones").json()
        assert server.run(tokens()) == before + 1
        removal = server.services.accounts.removal
        server.run(removal.remove(server.account(made["id"]), server.actor))
        assert server.run(tokens()) == before

    def test_open(self, server, http):
        assert self.sign_up(http, A, server.creation_token()).status_code == 200
