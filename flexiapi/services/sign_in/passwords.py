"""How passwords are stored, compared, and refused."""

import hmac
from collections.abc import Collection
from functools import cache
from importlib.resources import files

from flexiapi.crypto import digest
from flexiapi.model import Account, Algorithm, Password, hashes
from flexiapi.settings import AccountSettings


class Passwords:
    """Makes and compares stored passwords in the realm of the installation."""

    def __init__(self, settings: AccountSettings) -> None:
        self._settings = settings

    def realm(self, domain: str) -> str:
        """The DIGEST realm of a domain's accounts."""
        return self._settings.realm or domain

    def stored(self, username: str, domain: str, algorithm: Algorithm, password: str) -> Password:
        """What is kept of a password."""
        return Password(algorithm, digest.ha1(algorithm, username, self.realm(domain), password))

    def ha1(self, account: Account, algorithm: str) -> str | None:
        """The account's H(username:realm:password) for an algorithm, if it has one or the clear text."""
        return next((password.ha1 for password in self.hashed(account) if password.algorithm == algorithm), None)

    def hashed(self, account: Account) -> tuple[Password, ...]:
        """The account's passwords as hashes, also those that an import brought in the clear."""
        return hashes(account.passwords, account.username, self.realm(account.domain))

    def algorithms(self, account: Account) -> list[str]:
        """What the account can sign in with, in the order in which it is offered."""
        return self.offered({password.algorithm for password in account.passwords})

    def offered(self, stored: Collection[str]) -> list[str]:
        """What whoever has passwords of these kinds can sign in with, in the order in which it is offered."""
        both = Algorithm.CLRTXT in stored
        offered = [name for name in digest.ALGORITHMS if both or name in stored]
        return [name for name in offered if name != "MD5" or self._settings.md5]

    def fits(self, account: Account, password: str) -> bool:
        """Whether it is one of the account's passwords."""
        fits = False
        for stored in account.passwords:
            algorithm = Algorithm.SHA_256 if stored.algorithm is Algorithm.CLRTXT else stored.algorithm
            known = self.ha1(account, algorithm) or ""
            given = digest.ha1(algorithm, account.username, self.realm(account.domain), password)
            fits |= hmac.compare_digest(known.lower(), given)
        return fits


@cache
def common_passwords() -> frozenset[str]:
    """The commonest passwords, in lower case."""
    text = (files("flexiapi.services.sign_in") / "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
