"""What administrators do to an account: replace what it says, activate it, shut it out."""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Algorithm, DtmfProtocol
from flexiapi.rendering.messages import EmailChangedMail, Mail, PasswordChangedMail, PhoneChangedMail
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.last_admin import LastAdminGuard
from flexiapi.services.clock import Clock
from flexiapi.services.codes.notices import Notices
from flexiapi.services.names import taken
from flexiapi.services.origin import Origin
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.services.sign_in.signing_out import ended
from flexiapi.store import IdentifierTaken, Store

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Replacement:
    """All that an account is to be; what is not given is reset, but for `domain`, which then stays."""

    username: str
    password: str
    algorithm: Algorithm
    domain: str | None = None
    email: str | None = None
    phone: str | None = None
    display_name: str | None = None
    dtmf_protocol: DtmfProtocol | None = None
    admin: bool = False


class Administration:
    """Changes accounts for administrators."""

    def __init__(
        self,
        store: Store,
        accounts: AccountDirectory,
        guard: LastAdminGuard,
        passwords: Passwords,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._guard = guard
        self._passwords = passwords
        self._notices = notices
        self._clock = clock

    async def replace(self, account_id: int, new: Replacement, origin: Origin, *, keep_key: bool = False) -> Account:
        """Replace an account. Raises `RecordNotFound`, `LastAdmin`, and `ValidationFailed` for a name just taken.

        Another password ends what the old one gave: nonces, pending codes, and the API key unless `keep_key`.
        """
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id)
            replaced = await self._replaced(account, new, origin, keep_key=keep_key)
            if replaced is not None:
                await self._tell(account, replaced)
                return replaced
        raise RecordNotFound

    async def _replaced(self, account: Account, new: Replacement, origin: Origin, *, keep_key: bool) -> Account | None:
        now = self._clock.second()
        changes = self._changes(account, new, origin, now)
        is_other = self._is_other_password(account, new, changes["domain"])
        if is_other:
            changes |= ended(account)
        update = functools.partial(
            self._store.accounts.update,
            account,
            expecting={"admin_since": account.admin_since},
            sign_out=is_other,
            keep_api_key=keep_key,
            **changes,
        )
        try:
            if new.admin:
                return await update()
            async with self._guard.without(account):
                return await update()
        except IdentifierTaken as error:
            raise taken(error, new.username) from error

    def _changes(self, account: Account, new: Replacement, origin: Origin, now: datetime) -> dict[str, Any]:
        domain = self._accounts.domain_for_admin(new.domain) if new.domain else account.domain
        return {
            "username": new.username,
            "domain": domain,
            "email": new.email,
            "phone": new.phone,
            "display_name": new.display_name,
            "dtmf_protocol": new.dtmf_protocol,
            "admin_since": (account.admin_since or now) if new.admin else None,
            "passwords": (self._passwords.stored(new.username, domain, new.algorithm, new.password),),
            "user_agent": origin.user_agent,
            "updated_at": now,
        }

    def _is_other_password(self, account: Account, new: Replacement, domain: str) -> bool:
        is_same_name = (account.username, account.domain) == (new.username, domain)
        return not (is_same_name and self._passwords.fits(account, new.password))

    async def _tell(self, before: Account, after: Account) -> None:
        now = self._clock.now()
        notices: list[Mail] = []
        if before.sign_in_epoch != after.sign_in_epoch:
            notices.append(PasswordChangedMail(after.address, now))
        if before.email != after.email:
            notices.append(EmailChangedMail(after.address, now))
        if before.phone != after.phone:
            notices.append(PhoneChangedMail(after.address, now))
        for notice in notices:
            await self._notices.notify(before.email, notice)

    async def activate(self, account_id: int) -> Account:
        """Let an account be active; pending codes and tokens stay. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id)
        now = self._clock.second()
        return _there(
            await self._store.accounts.update(
                account, activated=True, activated_at=account.activated_at or now, updated_at=now
            )
        )

    async def deactivate(self, account_id: int) -> Account:
        """Shut an account out at once: keys, nonces, codes and tokens end. Raises `RecordNotFound`, `LastAdmin`."""
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id)
            async with self._guard.without(account):
                deactivated = await self._deactivated(account)
            if deactivated is not None:
                return deactivated
        raise RecordNotFound

    async def _deactivated(self, account: Account) -> Account | None:
        """`None` when another administrator has activated it, or changed its role, since it was read."""
        now = self._clock.second()
        read = {name: getattr(account, name) for name in ("activated", "activated_at", "admin_since")}
        return await self._store.accounts.update(
            account,
            expecting=read,
            sign_out=True,
            activated=False,
            activated_at=account.activated_at or (now if account.activated else None),
            updated_at=now,
            **ended(),
        )


def _there(account: Account | None) -> Account:
    if account is None:
        raise RecordNotFound
    return account
