"""The password of the current user."""

from flexiapi.errors import ValidationFailed
from flexiapi.model import Account, Actor, Algorithm, Password
from flexiapi.observing import log
from flexiapi.rendering.messages import PasswordChangedMail, PasswordSetMail
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in.passwords import Passwords


class MyPassword:
    """Changes of one's own password. They end all sign-ins but the API key of the request itself."""

    def __init__(self, ground: Ground, passwords: Passwords) -> None:
        self._store = ground.store
        self._passwords = passwords
        self._notices = ground.notices
        self._limiter = ground.limiter
        self._spaces = ground.spaces
        self._clock = ground.clock

    async def change(
        self,
        account: Account,
        algorithm: Algorithm | None,
        password: str,
        old_password: str | None,
        actor: Actor,
        *,
        keeps_key: bool,
        keeps_sign_ins: bool = False,
        is_proven: bool = False,
    ) -> Account:
        """Change the password of the account. The first password also activates it.

        Without an `algorithm` it is kept for all that the settings allow. `keeps_sign_ins` ends none; with `is_proven`
        the caller proved the address or number just now, and need not know the old password. Raises `ValidationFailed`
        on `old_password`, `TooManyRequests`, and `RecordNotFound` when sign-ins were ended since the account was read.
        """
        is_first = not account.passwords
        if not (is_first or is_proven):
            await self._check_old(account, old_password, actor)
        first, *others = self._stored(account, algorithm, password)
        now = self._clock.second()
        change = account.with_password(first, now, *others, keeps_key=keeps_key, keeps_sign_ins=keeps_sign_ins)
        changed = existing(await self._store.accounts.apply(change, actor))
        await self._notices.notify(account.email, self._notice(changed, is_first=is_first), changed, actor)
        return changed

    def _stored(self, account: Account, algorithm: Algorithm | None, password: str) -> tuple[Password, ...]:
        named = account.username, account.domain
        if algorithm is None:
            return self._passwords.of_settings(*named, password)
        return (self._passwords.stored(*named, algorithm, password),)

    async def _check_old(self, account: Account, old_password: str | None, actor: Actor) -> None:
        if old_password is None:
            raise ValidationFailed({"old_password": ["old_password is missing"]})
        await self._limiter.count("code_tries", f"password {account.id}")
        if not self._passwords.fits(account, old_password):
            log.warning("wrong code", of="old password", account=account.id, ip=actor.address)
            raise ValidationFailed({"old_password": ["old_password is wrong"]})

    def _notice(self, account: Account, *, is_first: bool) -> PasswordChangedMail | PasswordSetMail:
        if not is_first:
            return PasswordChangedMail(account.address, self._clock.now())
        texts = self._spaces.of_domain(account.domain).mail
        return PasswordSetMail(
            account.address,
            account.username,
            account.domain,
            texts.proxy_registrar_address,
            texts.transport_protocol_text,
            texts.confirmed_text,
        )
