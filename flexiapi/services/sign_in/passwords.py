"""Stored passwords."""

import hmac
from collections.abc import Collection, Sequence

from flexiapi.crypto import digest
from flexiapi.crypto.keys import random_text
from flexiapi.model import Account, Algorithm, Password, Spaces, hashes

RANDOM_LENGTH = 16


class Passwords:
    """Stored passwords, in the realm of the space of their account."""

    def __init__(self, spaces: Spaces, *, md5: bool) -> None:
        self._spaces = spaces
        self._md5 = md5

    def realm(self, domain: str) -> str:
        """Return the DIGEST realm of the accounts of a domain."""
        return self._spaces.by_domain.get(domain, self._spaces.default).realm or domain

    def stored(self, username: str, domain: str, algorithm: Algorithm, password: str) -> Password:
        """Return the hash that is stored of a password."""
        return Password(algorithm, digest.ha1(algorithm, username, self.realm(domain), password))

    def of_settings(self, username: str, domain: str, password: str) -> tuple[Password, ...]:
        """Return the hashes of a password for all algorithms that the settings allow, the strongest first."""
        kinds = (Algorithm.SHA_256, Algorithm.MD5) if self._md5 else (Algorithm.SHA_256,)
        return tuple(self.stored(username, domain, kind, password) for kind in kinds)

    def random(self, account: Account) -> tuple[Password, ...]:
        """Return the hashes of an unknown random password, one for each algorithm of the account."""
        kinds = [known.algorithm for known in self.hashed(account)]
        return self._stored_as(kinds, account, random_text(RANDOM_LENGTH))

    def renewed(self, account: Account, password: str) -> tuple[Password, ...]:
        """Return the hashes of a new password, one for each algorithm that the account can use, at least SHA-256."""
        kinds = [Algorithm(name) for name in self.algorithms(account)] or [Algorithm.SHA_256]
        return self._stored_as(kinds, account, password)

    def _stored_as(self, kinds: Sequence[Algorithm], account: Account, password: str) -> tuple[Password, ...]:
        return tuple(self.stored(account.username, account.domain, kind, password) for kind in kinds)

    def ha1(self, account: Account, algorithm: str) -> str | None:
        """Return the account's H(username:realm:password) for an algorithm, or `None`. No other seal is opened."""
        of_use = [one for one in account.passwords if one.algorithm in (algorithm, Algorithm.CLRTXT)]
        known = hashes(of_use, account.username, self.realm(account.domain))
        return next((password.ha1 for password in known if password.algorithm == algorithm), None)

    def hashed(self, account: Account) -> tuple[Password, ...]:
        """Return the account's passwords as hashes, also those that were imported as clear text."""
        return hashes(account.passwords, account.username, self.realm(account.domain))

    def algorithms(self, account: Account) -> list[str]:
        """Return the DIGEST algorithms that the account can use, the preferred one first."""
        return self.offered({password.algorithm for password in account.passwords})

    def offered(self, stored: Collection[str]) -> list[str]:
        """Return the DIGEST algorithms for stored passwords of these kinds, the preferred one first."""
        both = Algorithm.CLRTXT in stored
        offered = [name for name in digest.ALGORITHMS if both or name in stored]
        return [name for name in offered if name != "MD5" or self._md5]

    def fits(self, account: Account, password: str) -> bool:
        """Return whether it is one of the account's passwords, in constant time."""
        fits = False
        for stored in account.passwords:
            algorithm = Algorithm.SHA_256 if stored.algorithm is Algorithm.CLRTXT else stored.algorithm
            known = self.ha1(account, algorithm) or ""
            given = digest.ha1(algorithm, account.username, self.realm(account.domain), password)
            fits |= hmac.compare_digest(known.lower(), given)
        return fits
