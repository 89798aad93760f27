"""Requests of Flexisip's ExternalAuthentication plugin, and the answers."""

import asyncio
import re
from collections import Counter
from urllib.parse import quote, urlencode

import httpx
import pytest

from flexiapi.crypto import digest
from flexiapi.model import Algorithm, Password
from tests.kit.waiting import wait_for

DOMAIN = "sip.example.org"


@pytest.fixture
def configure():
    return {"flexisip": {"external_auth": True}}


def query(person, *, nc="00000001", password=None, method="REGISTER", sender=None):
    """The query of the URI in the guide, as Flexisip fills it."""
    nonce, cnonce, uri = "nonce+of/flexisip=", "c0ffee", f"sip:{DOMAIN}"
    ha1 = digest.ha1("SHA-256", person.account.username, DOMAIN, password or person.password)
    values = {
        "method": method,
        "from": sender or f'"Alice" <sip:{person.sip}>;tag=x1',
        "domain": DOMAIN,
        "username": person.account.username,
        "realm": DOMAIN,
        "nonce": nonce,
        "uri": uri,
        "response": digest.response("SHA-256", ha1, nonce, nc, cnonce, "auth", method, uri),
        "algorithm": "SHA-256",
        "qop": "auth",
        "nc": nc,
        "cnonce": cnonce,
        "uuid": "null",
        "call": "0PqT~VdWxy",
    }
    return urlencode(values, quote_via=quote, safe="")


def ask(http, *args, **kwargs):
    return http.get(f"/sip/auth?{query(*args, **kwargs)}", headers={"Accept": ""})


def test_the_answer_has_the_plugins_format_to_the_byte(http, alice):
    answer = ask(http, alice)
    assert answer.status_code == 200
    assert answer.content == b"Status: 200\nPhrase: OK\nP-Asserted-Identity: <sip:alice.martin@sip.example.org>"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Transfer-Encoding" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_repeated_use_is_challenged_anew_by_any_process(http, alice, server):
    assert ask(http, alice).text.startswith("Status: 200\n")
    assert ask(http, alice).text == "Status: 401\nPhrase: Unauthorized"
    assert ask(http, alice, method="MESSAGE").text == "Status: 407\nPhrase: Proxy Authentication Required"
    assert ask(http, alice, nc="00000002").text.startswith("Status: 200\n")


def all_at_once(server, queries):
    async def run():
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            return await asyncio.gather(*(client.get(f"/sip/auth?{one}") for one in queries))

    return Counter(answer.text.partition("\n")[0] for answer in asyncio.run(run()))


def uses(server):
    async def count():
        return await server.store._database["used_nonces"].count_documents({})

    return server.run(count())


def test_31_of_fifty_at_once_one_is_accepted(server, alice):
    assert all_at_once(server, [query(alice)] * 50) == {"Status: 200": 1, "Status: 401": 49}


def test_31_wrong_responses_at_once_let_nobody_in_twice(server, alice):
    answers = all_at_once(server, [query(alice), query(alice, password="wrong")] * 25)
    assert answers["Status: 403"] == 25
    assert answers["Status: 200"] <= 1
    assert answers["Status: 200"] + answers["Status: 401"] == 25


def test_a_wrong_response_uses_nothing_up(http, alice, server):
    before = uses(server)
    for refused in (query(alice, password="wrong"), query(alice, sender="<sip:bob@sip.example.org>")):
        assert http.get(f"/sip/auth?{refused}").text == "Status: 403\nPhrase: Forbidden"
    assert uses(server) == before
    assert ask(http, alice).text.startswith("Status: 200\n")
    assert uses(server) == before + 1


def test_a_wrong_response_gives_no_use_back(http, alice):
    assert ask(http, alice).text.startswith("Status: 200\n")
    assert ask(http, alice, password="wrong").text.startswith("Status: 403\n")
    assert ask(http, alice).text.startswith("Status: 401\n")


def test_an_alias_is_no_user_name(http, server):
    person = server.person("carol.jones", phone="+33612345678")
    own = query(person, sender="<sip:+33612345678@sip.example.org>")
    aliased = own.replace("username=carol.jones", "username=%2B33612345678")
    assert aliased != own
    assert http.get(f"/sip/auth?{aliased}").text == "Status: 403\nPhrase: Forbidden"


def test_wrong_unknown_and_deactivated_are_the_same(http, alice, server):
    refused = "Status: 403\nPhrase: Forbidden"
    assert ask(http, alice, password="wrong").text == refused
    assert ask(http, alice, sender="<sip:bob@sip.example.org>").text == refused
    assert http.get("/sip/auth").text == refused
    server.set(alice.id, activated=False)
    assert ask(http, alice).text == refused


def test_changes_count_at_once(http, alice, server):
    assert ask(http, alice).text.startswith("Status: 200\n")
    change = {"algorithm": "SHA-256", "old_password": alice.password, "password": "another-password"}
    assert http.post("/api/accounts/me/password", json=change, headers=alice.headers).status_code == 200
    assert ask(http, alice, nc="00000002").text.startswith("Status: 403\n")
    assert ask(http, alice, nc="00000002", password="another-password").text.startswith("Status: 200\n")


def test_nothing_secret_is_logged(http, alice, server):
    ask(http, alice)
    wait_for(lambda: "/sip/auth" in server.log.getvalue())
    assert "nonce" not in server.log.getvalue()
    assert "response" not in server.log.getvalue()


class TestFromElsewhere:
    @pytest.fixture
    def configure(self):
        return {"flexisip": {"external_auth": True, "external_auth_networks": ["192.0.2.0/24"]}}

    def test_others_may_not_ask(self, http, alice):
        answer = ask(http, alice)
        assert answer.status_code == 403
        assert "Status" not in answer.text


def test_a_front_server_that_hides_who_asks_is_refused(http, alice):
    answer = http.get(f"/sip/auth?{query(alice)}", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 403


class TestOff:
    @pytest.fixture
    def configure(self):
        return {}

    def test_there_is_no_such_endpoint(self, http, alice):
        assert ask(http, alice).status_code == 404


class TestWithoutMd5:
    @pytest.fixture
    def configure(self):
        return {"flexisip": {"external_auth": True}, "account": {"md5": False}}

    def test_an_account_of_clear_text_signs_in_by_sha_256_only(self, http, server, alice):
        server.set(alice.id, passwords=(Password(Algorithm.CLRTXT, alice.password),))
        by_md5 = query(alice).replace("algorithm=SHA-256", "algorithm=MD5")
        ha1 = digest.ha1("MD5", alice.account.username, DOMAIN, alice.password)
        asked = ("MD5", ha1, "nonce+of/flexisip=", "00000001", "c0ffee", "auth", "REGISTER", f"sip:{DOMAIN}")
        by_md5 = re.sub("response=[0-9a-f]+", f"response={digest.response(*asked)}", by_md5)
        assert http.get(f"/sip/auth?{by_md5}").text == "Status: 403\nPhrase: Forbidden"
        assert ask(http, alice).text.startswith("Status: 200\n")
