"""Account administration: replacement, activation, deactivation."""

from dataclasses import dataclass

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Actor, Algorithm, DtmfProtocol, Profile
from flexiapi.rendering.messages import EmailChangedMail, Mail, PasswordChangedMail, PhoneChangedMail
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.last_admin import LastAdminGuard
from flexiapi.services.clock import Clock
from flexiapi.services.codes.notices import Notices
from flexiapi.services.names import taken
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in.passwords import Passwords
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

    async def replace(self, account_id: int, new: Replacement, actor: Actor, *, keeps_key: bool = False) -> Account:
        """Replace an account. Raises `RecordNotFound`, `LastAdmin`, and `ValidationFailed` for a name just taken.

        Another password ends what the old one gave: nonces, pending codes, and the API key unless `keeps_key`.
        """
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id)
            replaced = await self._replaced(account, new, actor, keeps_key=keeps_key)
            if replaced is not None:
                await self._tell(account, replaced)
                return replaced
        raise RecordNotFound

    async def _replaced(self, account: Account, new: Replacement, actor: Actor, *, keeps_key: bool) -> Account | None:
        profile = self._profile(account, new, actor)
        is_other = self._is_other_password(account, new, profile.domain)
        change = account.replaced_by(profile, self._clock.second(), ends_sign_ins=is_other, keeps_key=keeps_key)
        try:
            if new.admin:
                return await self._store.accounts.apply(change, actor)
            async with self._guard.without(account):
                return await self._store.accounts.apply(change, actor)
        except IdentifierTaken as error:
            raise taken(error, new.username) from error

    def _profile(self, account: Account, new: Replacement, actor: Actor) -> Profile:
        domain = self._accounts.domain_for_admin(new.domain) if new.domain else account.domain
        return Profile(
            username=new.username,
            domain=domain,
            password=self._passwords.stored(new.username, domain, new.algorithm, new.password),
            email=new.email,
            phone=new.phone,
            display_name=new.display_name,
            dtmf_protocol=new.dtmf_protocol,
            is_admin=new.admin,
            user_agent=actor.user_agent,
        )

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

    async def activate(self, account_id: int, actor: Actor) -> Account:
        """Activate an account. Pending codes and tokens stay usable. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id)
        return existing(await self._store.accounts.apply(account.activate(self._clock.second()), actor))

    async def deactivate(self, account_id: int, actor: Actor) -> Account:
        """Deactivate an account at once: keys, nonces, codes and tokens end. Raises `RecordNotFound`, `LastAdmin`."""
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id)
            async with self._guard.without(account):
                deactivated = await self._store.accounts.apply(account.shut_out(self._clock.second()), actor)
            if deactivated is not None:
                return deactivated
        raise RecordNotFound
