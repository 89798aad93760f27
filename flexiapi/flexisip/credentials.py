"""The part of an account that the SIP server may know: its address and hashed passwords."""

from collections.abc import Callable
from dataclasses import dataclass, field

from flexiapi import model
from flexiapi.crypto.keys import readable
from flexiapi.model import Account, Algorithm


@dataclass(frozen=True, slots=True)
class BridgeLine:
    """The account of an account on another SIP server, as Flexisip's bridge reads it."""

    identifier: str
    username: str
    domain: str
    secret: str = field(repr=False)
    protocol: str
    realm: str | None = None
    registrar: str | None = None
    outbound_proxy: str | None = None


@dataclass(frozen=True, slots=True)
class SipCredentials:
    """An account that may sign in by SIP; `hashes` has H(username:realm:password) in lower-case hex by algorithm."""

    id: int
    username: str
    domain: str
    phone: str | None
    hashes: dict[str, str] = field(repr=False)
    bridge: BridgeLine | None = None

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
    """Return the account's entry, or `None` while it is not activated, or blocked, or if its name cannot be read."""
    if not account.activated or account.is_blocked or not {"username", "domain"}.isdisjoint(account.unreadable):
        return None
    known, bridge = hashes(account, realm, md5=md5), _bridge_of(account)
    return SipCredentials(account.id, account.username, account.domain, account.phone, known, bridge)


def _bridge_of(account: Account) -> BridgeLine | None:
    """Return the line of the account on another server, `None` without one, or if its seal does not open."""
    bridged = account.bridged_account
    secret = None if bridged is None else readable(bridged.stored)
    if bridged is None or secret is None:
        return None
    return BridgeLine(
        str(bridged.number),
        bridged.username,
        bridged.domain,
        secret,
        bridged.protocol.value,
        bridged.realm,
        bridged.registrar,
        bridged.outbound_proxy,
    )
