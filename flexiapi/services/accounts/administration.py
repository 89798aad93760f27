"""Account administration: replacement, activation, deactivation."""

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Actor, Profile
from flexiapi.rendering.messages import EmailChangedMail, Mail, PasswordChangedMail, PhoneChangedMail
from flexiapi.services.accounts.details import AccountDetails
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.last_admin import LastAdminGuard
from flexiapi.services.ground import Ground
from flexiapi.services.names import taken
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords
from flexiapi.store import IdentifierTaken

_TRIES = 3


class Administration:
    """Changes that administrators make."""

    def __init__(self, ground: Ground, accounts: AccountDirectory, guard: LastAdminGuard, passwords: Passwords) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._accounts = accounts
        self._guard = guard
        self._passwords = passwords
        self._notices = ground.notices
        self._clock = ground.clock

    async def replace(self, account_id: int, new: AccountDetails, actor: Actor, *, keeps_key: bool = False) -> Account:
        """Replace all details of an account.

        Another password, username or domain ends nonces, pending codes, and the API key unless `keeps_key`. Raises
        `RecordNotFound`, `LastAdmin`, and `ValidationFailed` for a name that was taken meanwhile.
        """
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id, actor.space)
            replaced = await self._replaced(account, new, actor, keeps_key=keeps_key)
            if replaced is not None:
                await self._tell(account, replaced)
                return replaced
        raise RecordNotFound

    async def _replaced(
        self, account: Account, new: AccountDetails, actor: Actor, *, keeps_key: bool
    ) -> Account | None:
        profile = self._profile(account, new, actor)
        is_other = self._is_other_password(account, new, profile.domain)
        leaves = self._spaces.of_domain(profile.domain) is not self._spaces.of_domain(account.domain)
        change = account.replaced_by(
            profile, self._clock.second(), ends_sign_ins=is_other, keeps_key=keeps_key, leaves_space=leaves
        )
        try:
            if new.admin and not leaves:
                return await self._store.accounts.apply(change, actor)
            async with self._guard.without(account):
                return await self._store.accounts.apply(change, actor)
        except IdentifierTaken as error:
            raise taken(error, new.username) from error

    def _profile(self, account: Account, new: AccountDetails, actor: Actor) -> Profile:
        domain = self._accounts.domain_for_admin(new.domain, actor.space) if new.domain else account.domain
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

    def _is_other_password(self, account: Account, new: AccountDetails, domain: str) -> bool:
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
        """Activate an account. Pending codes and tokens stay usable.

        Raises `RecordNotFound`, and `ValidationFailed` if another account proved the number that names this one.
        """
        account = await self._accounts.for_admin(account_id, actor.space)
        try:
            return existing(await self._store.accounts.apply(account.activate(self._clock.second()), actor))
        except IdentifierTaken as error:
            raise taken(error, None) from error

    async def deactivate(self, account_id: int, actor: Actor) -> Account:
        """Deactivate an account and end its keys, nonces, codes and tokens. Raises `RecordNotFound`, `LastAdmin`."""
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id, actor.space)
            async with self._guard.without(account):
                deactivated = await self._store.accounts.apply(account.shut_out(self._clock.second()), actor)
            if deactivated is not None:
                return deactivated
        raise RecordNotFound
