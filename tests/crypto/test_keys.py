"""Tokens, codes, seals."""

import os
import stat
from collections import Counter

import pytest

from flexiapi.crypto import codes, keys
from flexiapi.crypto.codes import Codes
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.crypto.nonces import Nonces
from flexiapi.errors import ConfigurationError

KEY = "a" * 40


def test_tokens_are_letters_and_digits_and_never_repeat():
    """ASVS 11.5.1, 7.2.3."""
    tokens = {keys.random_text(13) for _ in range(100_000)}
    assert len(tokens) == 100_000
    assert {letter for token in tokens for letter in token} == set(keys.ALPHABET)


def test_every_pin_is_as_likely_as_any_other():
    """ASVS 6.5.1: chi-square over the leading digits and over all 10,000 values, leading zeros too."""
    pins = Counter(codes.random_pin() for _ in range(100_000))
    assert len(pins) > 9_990
    assert all(len(pin) == 4 and pin.isdecimal() for pin in pins)
    chi_square = sum((pins[f"{value:04d}"] - 10) ** 2 / 10 for value in range(10_000))
    assert 9_300 < chi_square < 10_700


def test_a_seal_opens_only_for_its_owner_and_with_its_key():
    sealed = ApplicationKey(KEY).seal("secret", "account:1")
    assert b"secret" not in sealed
    assert ApplicationKey(KEY).open(sealed, "account:1") == "secret"
    for stranger, owner in ((ApplicationKey(KEY), "account:2"), (ApplicationKey("b" * 40), "account:1")):
        with pytest.raises(ConfigurationError):
            stranger.open(sealed, owner)


def test_an_earlier_key_still_opens_what_it_sealed():
    sealed = ApplicationKey(KEY).seal("secret", "account:1")
    assert ApplicationKey("b" * 40, [KEY]).open(sealed, "account:1") == "secret"


def test_a_short_key_is_refused():
    with pytest.raises(ConfigurationError, match="too short"):
        ApplicationKey("short")


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = keys.load_or_create(tmp_path / "data")
    assert keys.load_or_create(tmp_path / "data") == first
    assert stat.S_IMODE((tmp_path / "data" / "application.key").stat().st_mode) == 0o600


def test_who_comes_while_the_key_file_is_made_gets_the_same_key(tmp_path, monkeypatch):
    others, fsync = [], os.fsync

    def meanwhile(descriptor):
        monkeypatch.setattr(os, "fsync", fsync)
        others.append(keys.load_or_create(tmp_path))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    key = keys.load_or_create(tmp_path)
    assert len(key) > 32
    assert others == [key]
    assert [path.name for path in tmp_path.iterdir()] == ["application.key"]


def test_a_crash_leaves_no_key_file_that_is_empty(tmp_path, monkeypatch):
    def crash(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        keys.load_or_create(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_code_fits_only_where_it_was_made_for():
    codes = Codes(ApplicationKey(KEY))
    stored = codes.hash("0427", 12, "phone", "+33612345678")
    assert codes.fits("0427", stored, 12, "phone", "+33612345678")
    for other in (
        ("0427", 13, "phone", "+33612345678"),
        ("0427", 12, "email", "+33612345678"),
        ("427", 12, "phone", "+33612345678"),
    ):
        assert not codes.fits(other[0], stored, *other[1:])


def test_a_nonce_tells_its_age_to_its_account_alone():
    nonces = Nonces(b"k" * 32)
    nonce = nonces.make(12, 3, 1_700_000_000)
    assert len(nonce) == 32
    assert nonce.isalnum()
    assert nonces.issued_at(nonce, 12, 3) == 1_700_000_000
    assert nonces.issued_at(nonce, 13, 3) is None
    assert nonces.issued_at(nonce, 12, 4) is None
    assert Nonces(b"j" * 32).issued_at(nonce, 12, 3) is None


def test_a_nonce_with_any_changed_letter_is_foreign():
    nonces = Nonces(b"k" * 32)
    nonce = nonces.make(12, 0, 1_700_000_000)
    for place in range(32):
        for letter in ("A" if nonce[place] != "A" else "B", "-"):
            assert nonces.issued_at(nonce[:place] + letter + nonce[place + 1 :], 12, 0) is None
