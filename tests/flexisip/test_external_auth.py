from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest

from flexiapi.crypto import digest
from flexiapi.flexisip import external_auth
from flexiapi.model import Account, Algorithm, Password

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DOMAIN = "sip.example.org"


def account(username="alice", password="wonderland", realm=DOMAIN, **changes):
    passwords = tuple(
        Password(a, digest.ha1(a.value, username, realm, password)) for a in (Algorithm.MD5, Algorithm.SHA_256)
    )
    return replace(Account(1, username, DOMAIN, NOW, NOW, activated=True, passwords=passwords), **changes)


def query(
    algorithm="SHA-256",
    *,
    password="wonderland",
    username="alice",
    realm=DOMAIN,
    qop="auth",
    method="REGISTER",
    **changes,
):
    """Return Flexisip's question about a user agent that answers a challenge."""
    uri, nonce, nc, cnonce = f"sip:{DOMAIN}", "n0nce+/=", "00000001", "c0ffee"
    ha1 = digest.ha1(algorithm, username, realm, password)
    values = {
        "method": method,
        "domain": DOMAIN,
        "username": username,
        "realm": realm,
        "nonce": nonce,
        "uri": uri,
        "response": digest.response(algorithm, ha1, nonce, nc, cnonce, qop, method, uri),
        "algorithm": algorithm,
        **({"qop": qop, "nc": nc, "cnonce": cnonce} if qop else {"qop": "null", "nc": "null", "cnonce": "null"}),
        "uuid": "null",
    } | changes
    return urlencode(values, quote_via=quote, safe="")


def ask(text, of=None, used=None, realm=None, md5=True):
    used = set() if used is None else used
    asked = external_auth.question(text)
    if asked is None:
        return external_auth.forbidden("malformed")
    key = external_auth.use(asked)
    answer = external_auth.verdict(asked, of, realm, md5=md5, is_first=key not in used)
    if answer.status == 200:
        used.add(key)
    return answer


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["auth", None])
@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "MESSAGE"])
def test_a_right_response_is_accepted(algorithm, qop, method):
    answer = ask(query(algorithm, qop=qop, method=method), account())
    assert answer.text() == "Status: 200\nPhrase: OK\nP-Asserted-Identity: <sip:alice@sip.example.org>"


def test_without_algorithm_it_is_md5():
    values = query("MD5").replace("algorithm=MD5", "algorithm=null")
    assert ask(values, account()).status == 200


@pytest.mark.parametrize(
    ("asked", "of"),
    [
        (query(password="wrong"), account()),
        (query(), None),
        (query(), account(activated=False)),
        (query("MD5"), account(passwords=account().passwords[1:])),
        (query("SHA-256"), account(passwords=account().passwords[:1])),
        (query(), account(passwords=())),
        (query(nonce="another"), account()),
        (query(uri="sip:elsewhere"), account()),
        (query(nc="00000002"), account()),
        (query(qop="auth-int"), account()),
        (query().replace("nc=00000001", "nc=null"), account()),
        (query().replace("algorithm=SHA-256", "algorithm=MD5-sess"), account()),
        (query(response="null"), account()),
        (query(response="\u00e9"), account()),
        (query(username="null"), account()),
        (query(domain="sip.example.org>\r\nX: y"), account()),
        ("", account()),
        ("&&=&a", None),
    ],
)
def test_everything_else_is_forbidden_in_the_same_words(asked, of):
    assert ask(asked, of).text() == "Status: 403\nPhrase: Forbidden"


def test_a_plus_is_no_blank():
    of = account("+33612345678")
    assert ask(query(username="+33612345678"), of).identity == "+33612345678@sip.example.org"
    assert ask(query(username="+33612345678").replace("%2B", "+"), of).status == 200


def test_the_realm_of_the_installation_counts():
    of = account(realm="flexiapi", passwords=(Password(Algorithm.CLRTXT, "wonderland"),))
    assert ask(query(realm="flexiapi"), of, realm="flexiapi").status == 200
    assert ask(query(realm=DOMAIN), of, realm="flexiapi").status == 403


@pytest.mark.parametrize(("method", "status"), [("REGISTER", 401), ("MESSAGE", 407)])
@pytest.mark.parametrize("qop", ["auth", None])
def test_a_repeated_use_is_challenged_anew(method, status, qop):
    used = set()
    assert ask(query(method=method, qop=qop), account(), used).status == 200
    again = ask(query(method=method, qop=qop), account(), used)
    assert again.text().startswith(f"Status: {status}\nPhrase: ")
    assert again.identity is None


def test_without_counts_a_nonce_serves_several_requests():
    used = set()
    assert ask(query(method="REGISTER", qop=None), account(), used).status == 200
    assert ask(query(method="MESSAGE", qop=None), account(), used).status == 200


def test_a_count_serves_one_request_whatever_it_is():
    used = set()
    assert ask(query(method="REGISTER"), account(), used).status == 200
    assert ask(query(method="MESSAGE"), account(), used).status == 407


@pytest.mark.parametrize(
    ("sender", "status"),
    [
        ("<sip:alice@sip.example.org>;tag=1", 200),
        ('"Alice \\" L" <sip:Alice@SIP.example.org;transport=tls>;tag=1', 200),
        ("Alice <sip:alice@sip.example.org:5060>", 200),
        ("sip:alice@sip.example.org;tag=1", 200),
        ("null", 200),
        ("<sip:bob@sip.example.org>;tag=1", 403),
        ('"<sip:alice@sip.example.org>" <sip:bob@sip.example.org>', 403),
        ("<sip:bob@sip.example.org>;x=<sip:alice@sip.example.org>", 403),
        ("<sip:alice@sip.example.com>", 403),
        ("<tel:+33612345678>", 403),
        ("sip:bob@sip.example.org?x=sip:alice@sip.example.org", 403),
    ],
)
def test_nobody_signs_in_for_somebody_else(sender, status):
    asked = query() + "&from=" + quote(sender, safe="")
    assert ask(asked, account()).status == status


def test_secrets_are_in_no_representation():
    assert "wonderland" not in repr(account(passwords=(Password(Algorithm.CLRTXT, "wonderland"),)))
    asked = external_auth.question(query())
    assert asked.response not in repr(asked)


@pytest.mark.parametrize("passwords", [account().passwords, (Password(Algorithm.CLRTXT, "wonderland"),)])
def test_without_md5_only_sha_256_is_right(passwords):
    of = account(passwords=passwords)
    assert ask(query("MD5"), of).status == 200
    assert ask(query("MD5"), of, md5=False).text() == "Status: 403\nPhrase: Forbidden"
    assert ask(query("MD5").replace("algorithm=MD5", "algorithm=null"), of, md5=False).status == 403
    assert ask(query("SHA-256"), of, md5=False).status == 200


@pytest.mark.parametrize("start", ["<sip:alice@sip.example.org>;tag=", "<sip:alice@sip.example.org", "sip:alice@"])
def test_a_sender_of_more_than_a_kilobyte_is_refused_unread(start):
    asked = query() + "&from=" + quote(start.ljust(1025, "x"), safe="")
    assert external_auth.question(asked) is None
    assert ask(asked, account()).text() == "Status: 403\nPhrase: Forbidden"


def test_a_sender_of_a_kilobyte_is_read():
    asked = query() + "&from=" + quote("<sip:alice@sip.example.org>;tag=".ljust(1024, "x"), safe="")
    assert ask(asked, account()).status == 200
