"""A user's own password: set for the first time, or changed with the old one."""

from typing import Any

from flexiapi.errors import RecordNotFound, ValidationFailed
from flexiapi.model import Account, Algorithm
from flexiapi.rendering.messages import PasswordChangedMail, PasswordSetMail
from flexiapi.services.clock import Clock
from flexiapi.services.codes.notices import Notices
from flexiapi.services.limiter import Limiter
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.services.sign_in.signing_out import ended, still_signed_in
from flexiapi.settings import AccountSettings
from flexiapi.store import Store


class MyPassword:
    """Changes passwords; what was signed in before is signed out, but for the key of the request itself."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        notices: Notices,
        limiter: Limiter,
        settings: AccountSettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._notices = notices
        self._limiter = limiter
        self._settings = settings
        self._clock = clock

    async def change(
        self, account: Account, algorithm: Algorithm, password: str, old_password: str | None, keep_key: bool
    ) -> Account:
        """Give the account another password. Raises `ValidationFailed` on `old_password`, `TooManyRequests`."""
        is_first = not account.passwords
        if not is_first:
            await self._check_old(account, old_password)
        now = self._clock.second()
        stored = self._passwords.stored(account.username, account.domain, algorithm, password)
        changes: dict[str, Any] = {
            "passwords": (stored,),
            "updated_at": now,
            **ended(),
        }
        if is_first:
            changes |= {"activated": True, "activated_at": account.activated_at or now}
        changed = await self._store.accounts.update(
            account, expecting=still_signed_in(account), sign_out=True, keep_api_key=keep_key, **changes
        )
        if changed is None:
            raise RecordNotFound
        await self._notices.notify(account.email, self._notice(changed, is_first=is_first))
        return changed

    async def _check_old(self, account: Account, old_password: str | None) -> None:
        if old_password is None:
            raise ValidationFailed({"old_password": ["old_password is missing"]})
        await self._limiter.count("code_tries", f"password {account.id}")
        if not self._passwords.fits(account, old_password):
            raise ValidationFailed({"old_password": ["old_password is wrong"]})

    def _notice(self, account: Account, *, is_first: bool) -> PasswordChangedMail | PasswordSetMail:
        if not is_first:
            return PasswordChangedMail(account.address, self._clock.now())
        settings = self._settings
        return PasswordSetMail(
            account.address,
            account.username,
            account.domain,
            settings.proxy_registrar_address,
            settings.transport_protocol_text,
            settings.confirmed_text,
        )
