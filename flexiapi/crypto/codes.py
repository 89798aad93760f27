"""One-time codes: random PINs, keys that people type, and the hashes under which codes are stored."""

import hmac
import secrets

from flexiapi.crypto.keys import ApplicationKey

KEY_LENGTH = 13
# Without 0 and O, 1 and I: letters and digits that look alike.
KEY_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS = (slice(0, 4), slice(4, 8), slice(8, None))


_PIN_LENGTH = 4


def random_key() -> str:
    """Return a key of 65 random bits for people to type: 13 letters and digits that cannot be confused."""
    return "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))


def grouped(key: str) -> str:
    """Return a key as people see it, such as `WATD-MY7P-TD4CZ`."""
    return "-".join(key[group] for group in _GROUPS)


def joined(typed: str) -> str:
    """Return a typed key without blanks and hyphens."""
    return "".join(character for character in typed if character != "-" and not character.isspace())


def random_pin() -> str:
    """Return four random decimal digits."""
    return f"{secrets.randbelow(10_000):04d}"


def is_pin(text: str) -> bool:
    """Return whether a text has the form of a PIN."""
    return len(text) == _PIN_LENGTH and text.isascii() and text.isdecimal()


class Codes:
    """Hashes short codes for storage, bound to account, purpose and address."""

    def __init__(self, key: ApplicationKey) -> None:
        self._key = key.derive("codes")

    def hash(self, code: str, *bound_to: object) -> bytes:
        """Return the HMAC of a code and of the values that it is bound to."""
        text = "\x1f".join([code, *map(str, bound_to)])
        return hmac.digest(self._key, text.encode(), "sha256")

    def fits(self, code: str, stored: bytes, *bound_to: object) -> bool:
        """Compare a code, with the same bound values, to a stored hash in constant time."""
        return hmac.compare_digest(self.hash(code, *bound_to), stored)
