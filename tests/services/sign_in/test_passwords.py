"""Stored passwords: the hash for an algorithm."""

from datetime import UTC, datetime

from structlog.testing import capture_logs

from flexiapi.crypto import digest
from flexiapi.crypto.keys import ApplicationKey, SealedText
from flexiapi.model import Account, Algorithm, Password, Spaces
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.settings import Settings
from tests.kit.person import PASSWORD

DOMAIN = "sip.example.org"
HA1 = digest.ha1("SHA-256", "alice", DOMAIN, PASSWORD)
KEY = ApplicationKey("k" * 40)


def with_passwords(*passwords):
    settings = Settings(app={"sip_domain": DOMAIN})
    now = datetime.now(UTC)
    account = Account(1, "alice", DOMAIN, now, now, passwords=passwords)
    return Passwords(Spaces.of(settings), md5=True), account


def test_a_sign_in_opens_the_one_seal_that_it_needs():
    right = Password(Algorithm.SHA_256, SealedText(KEY, KEY.seal(HA1, "account:1"), "account:1"))
    of_another_key = Password(Algorithm.MD5, SealedText(KEY, b"broken", "account:1"))
    passwords, account = with_passwords(of_another_key, right)
    with capture_logs() as lines:
        assert passwords.ha1(account, "SHA-256") == HA1
    assert lines == []
    with capture_logs() as lines:
        assert passwords.ha1(account, "MD5") is None
    assert [line["event"] for line in lines] == ["a seal does not open"]


def test_a_clear_text_has_the_hash_of_each_algorithm_but_a_stored_hash_wins():
    clear, stored = Password(Algorithm.CLRTXT, PASSWORD), Password(Algorithm.MD5, "A" * 32)
    passwords, account = with_passwords(clear, stored)
    assert passwords.ha1(account, "SHA-256") == HA1
    assert passwords.ha1(account, "MD5") == "a" * 32
    assert passwords.ha1(account, "CLRTXT") is None
    assert with_passwords(stored)[0].ha1(with_passwords(stored)[1], "SHA-256") is None
