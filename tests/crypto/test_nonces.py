"""Nonces of DIGEST challenges."""

from flexiapi.crypto.nonces import Nonces


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
