"""Bridged accounts: the account of an account of ours on another SIP server, for Flexisip's bridge (B2BUA)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from flexiapi.crypto import digest
from flexiapi.errors import FieldErrors, RecordNotFound, ValidationFailed
from flexiapi.model import Actor, Algorithm, BridgedAccount, BridgeProtocol, Space
from flexiapi.services.accounts.administration import AccountBusy
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.store import IdentifierTaken

# Of many changes of one account at once each round writes one at least.
_TRIES = 60
_TAKEN = "username is that of another account's external account, with this domain"
_NO_PASSWORD = "password is missing"  # noqa: S105  # a text
_PASSWORD_AGAIN = "password is required again, because its hash is made with username, domain and realm"  # noqa: S105


class BridgeTaken(ValidationFailed):
    """Another account has this address on the other server."""

    def __init__(self) -> None:
        super().__init__({"username": [_TAKEN]})


@dataclass(frozen=True, slots=True)
class BridgeValues:
    """The values of a bridged account. Without a password its hash stays."""

    username: str
    domain: str
    protocol: BridgeProtocol
    realm: str | None = None
    registrar: str | None = None
    outbound_proxy: str | None = None
    password: str | None = field(default=None, repr=False)


class BridgeFields(Protocol):
    """The values that are valid so far."""

    def get(self, name: str, /) -> Any:
        """Return the value of a field."""


class BridgedAccounts:
    """The bridged account that an account may have."""

    def __init__(self, ground: Ground, accounts: AccountDirectory) -> None:
        self._store = ground.store
        self._accounts = accounts
        self._clock = ground.clock

    async def of(self, account_id: int, space: Space) -> BridgedAccount:
        """Return the bridged account of an account. Raises `RecordNotFound`, also without one."""
        bridged = (await self._accounts.for_admin(account_id, space)).bridged_account
        if bridged is None:
            raise RecordNotFound
        return bridged

    async def faults(self, values: BridgeFields, account_id: int, space: Space) -> FieldErrors:
        """Check values together, and against the bridged account of before. Raises `RecordNotFound`."""
        former = (await self._accounts.for_admin(account_id, space)).bridged_account
        found = dict(_repeated(values))
        names = ("username", "domain")
        if not values.get("password") and all(values.get(name) for name in names):
            found |= _without_password(former, *(values.get(name) for name in (*names, "realm")))
        return found

    async def save(self, account_id: int, values: BridgeValues, actor: Actor) -> tuple[BridgedAccount, bool]:
        """Give an account a bridged account, or change it. Return it, and whether it is new.

        Raises `RecordNotFound`, `BridgeTaken`, `AccountBusy`, and `ValidationFailed` without a needed password.
        """
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id, actor.space)
            bridged = await self._after(account.bridged_account, values)
            try:
                written = await self._store.accounts.apply(account.set_bridge(bridged), actor)
            except IdentifierTaken as error:
                raise BridgeTaken from error
            if written is not None:
                return bridged, account.bridged_account is None
        raise AccountBusy

    async def remove(self, account_id: int, actor: Actor) -> None:
        """Remove the bridged account of an account. Raises `RecordNotFound`, also without one."""
        account = await self._accounts.for_admin(account_id, actor.space)
        if account.bridged_account is None:
            raise RecordNotFound
        change = account.remove_bridge(self._clock.second())
        existing(await self._store.accounts.apply(change, actor))

    async def _after(self, former: BridgedAccount | None, values: BridgeValues) -> BridgedAccount:
        now = self._clock.second()
        address = (values.username, values.domain)
        if values.password is not None:
            stored: Any = digest.ha1(Algorithm.MD5, values.username, values.realm or values.domain, values.password)
        elif former is not None and not _without_password(former, *address, values.realm):
            stored = former.stored
        else:
            raise ValidationFailed(_without_password(former, *address, values.realm))
        is_same = former is not None and address == (former.username, former.domain)
        return BridgedAccount(
            number=former.number if former is not None and is_same else await self._store.counters.next("bridges"),
            username=values.username,
            domain=values.domain,
            protocol=values.protocol,
            stored=stored,
            created_at=_created(former, now),
            updated_at=now,
            realm=values.realm,
            registrar=values.registrar,
            outbound_proxy=values.outbound_proxy,
        )


def _created(former: BridgedAccount | None, now: datetime) -> datetime:
    return now if former is None else former.created_at


def _without_password(former: BridgedAccount | None, username: str, domain: str, realm: str | None) -> FieldErrors:
    """Return what is wrong without a password: the hash of before is that of these names and no others."""
    if former is None:
        return {"password": [_NO_PASSWORD]}
    is_same = (username, domain, realm) == (former.username, former.domain, former.realm)
    return {} if is_same else {"password": [_PASSWORD_AGAIN]}


def _repeated(values: BridgeFields) -> Iterator[tuple[str, list[str]]]:
    for name in ("realm", "registrar", "outbound_proxy"):
        if values.get(name) and values.get(name) == values.get("domain"):
            yield name, [f"{name} must be left out where it is the same as domain"]
