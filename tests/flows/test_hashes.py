"""One account has the same hashes by HTTP, by SIP and in its provisioning."""

from datetime import UTC, datetime

import pytest

from flexiapi.crypto import digest
from flexiapi.flexisip import credentials
from flexiapi.model import Account, Algorithm, Password, Spaces, hashes
from flexiapi.provisioning.account_sections import auth_infos
from flexiapi.services.sign_in import Passwords
from flexiapi.settings import Settings

NOW = datetime(2026, 11, 23, tzinfo=UTC)
STORED = {Algorithm.MD5: "a1" * 16, Algorithm.SHA_256: "b2" * 32}
CLEAR = Password(Algorithm.CLRTXT, "Wonderland")


def made(algorithm):
    return digest.ha1(algorithm, "alice", "Realm", "Wonderland")


@pytest.mark.parametrize(
    ("passwords", "wanted"),
    [
        ((), {}),
        ((Password(Algorithm.SHA_256, STORED["SHA-256"].upper()),), {"SHA-256": STORED["SHA-256"]}),
        (tuple(Password(name, ha1) for name, ha1 in STORED.items()), STORED),
        ((CLEAR,), {"MD5": made("MD5"), "SHA-256": made("SHA-256")}),
        ((CLEAR, Password(Algorithm.MD5, STORED["MD5"])), {"MD5": STORED["MD5"], "SHA-256": made("SHA-256")}),
        ((Password(Algorithm.SHA_256, STORED["SHA-256"]), CLEAR), {"MD5": made("MD5"), "SHA-256": STORED["SHA-256"]}),
    ],
)
def test_every_way_out_has_the_same_hashes(passwords, wanted):
    alice = Account(1, "alice", "sip.example.org", NOW, NOW, activated=True, passwords=passwords)
    rules = Passwords(Spaces.of(Settings(account={"realm": "Realm"})), md5=True)
    provisioned = []
    auth_infos(0, alice, "Realm", lambda section, password: provisioned.append(password))
    assert {password.algorithm: password.ha1 for password in provisioned} == wanted
    assert {password.algorithm: password.ha1 for password in rules.hashed(alice)} == wanted
    assert {name: ha1 for name in digest.ALGORITHMS if (ha1 := rules.ha1(alice, name))} == wanted
    assert credentials.hashes(alice, "Realm", md5=True) == wanted


def test_the_order_of_what_is_stored_stays():
    passwords = tuple(Password(name, STORED[name]) for name in (Algorithm.SHA_256, Algorithm.MD5))
    assert hashes(passwords, "alice", "Realm") == passwords
