"""One-time codes: random PINs, and the hashes under which codes are stored."""

import hmac
import secrets

from flexiapi.crypto.keys import ApplicationKey


def random_pin() -> str:
    """Return four random decimal digits."""
    return f"{secrets.randbelow(10_000):04d}"


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
