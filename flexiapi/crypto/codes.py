"""One-time codes: random PINs, and the hashes that are stored of them."""

import hmac
import secrets

from flexiapi.crypto.keys import ApplicationKey


def random_pin() -> str:
    """Four decimal digits, every one of the 10,000 as likely."""
    return f"{secrets.randbelow(10_000):04d}"


class Codes:
    """Turns short codes into what may be stored of them, bound to account, purpose and address."""

    def __init__(self, key: ApplicationKey) -> None:
        self._key = key.derive("codes")

    def hash(self, code: str, *bound_to: object) -> bytes:
        """HMAC of a code; it fits only where the same things are named."""
        text = "\x1f".join([code, *map(str, bound_to)])
        return hmac.digest(self._key, text.encode(), "sha256")

    def fits(self, code: str, stored: bytes, *bound_to: object) -> bool:
        """Whether the code is the one that was hashed; in constant time."""
        return hmac.compare_digest(self.hash(code, *bound_to), stored)
