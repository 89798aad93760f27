"""The part of an account that the SIP server may know: its address and hashed passwords."""

from collections.abc import Callable
from dataclasses import dataclass, field

from flexiapi import model
from flexiapi.model import Account, Algorithm


@dataclass(frozen=True, slots=True)
class SipCredentials:
    """An account that may sign in by SIP; `hashes` has H(username:realm:password) in lower-case hex by algorithm."""

    id: int
    username: str
    domain: str
    phone: str | None
    hashes: dict[str, str] = field(repr=False)

    @property
    def address(self) -> str:
        """`username@domain`."""
        return f"{self.username}@{self.domain}"


def hashes(account: Account, realm: str | None, *, md5: bool) -> dict[str, str]:
    """Return the account's HA1 by algorithm; `realm` defaults to the account's domain, and `md5` includes MD5.

    Clear text becomes both hashes: Flexisip would hash it with the domain, which is wrong under another realm.
    """
    known = model.hashes(account.passwords, account.username, realm or account.domain)
    return {password.algorithm.value: password.ha1 for password in known if md5 or password.algorithm != Algorithm.MD5}


Realms = Callable[[str], str | None]
"""The DIGEST realm of the accounts of a domain, `None` for the domain itself."""


def domain_itself(_domain: str) -> None:
    """Return `None`: the realm of a domain is the domain."""


def entry_of(account: Account, realm: str | None, *, md5: bool) -> SipCredentials | None:
    """Return the account's entry, or `None` while it is not activated, or blocked."""
    if not account.activated or account.is_blocked:
        return None
    return SipCredentials(account.id, account.username, account.domain, account.phone, hashes(account, realm, md5=md5))
