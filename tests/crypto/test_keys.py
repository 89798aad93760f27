"""Tokens, seals and the key file."""

import os
import stat
from collections import Counter

import pytest

from flexiapi.crypto import keys
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ConfigurationError

KEY = "a" * 40


def test_tokens_are_letters_and_digits_and_never_repeat():
    """ASVS 11.5.1, 7.2.3."""
    tokens = {keys.random_text(13) for _ in range(100_000)}
    assert len(tokens) == 100_000
    letters = Counter(letter for token in tokens for letter in token)
    assert set(letters) == set(keys.ALPHABET)
    assert max(letters.values()) < 1.1 * min(letters.values()), "a letter is more frequent than another"


@pytest.mark.parametrize("length", [0, 1, 2, 13, 1000])
def test_a_token_is_as_long_as_it_was_asked_for(length):
    """Also when most of the random bytes were left out: of a token with one letter, once in a thousand times."""
    assert {len(keys.random_text(length)) for _ in range(20_000 if length < 13 else 100)} == {length}


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
