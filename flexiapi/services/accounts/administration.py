"""Account administration: replacement, amendment, activation, deactivation."""

from collections.abc import Awaitable, Callable
from typing import Any

from flexiapi.errors import OwnBlock, RecordNotFound, Unavailable
from flexiapi.model import Account, Actor, Change, Profile
from flexiapi.rendering.messages import EmailChangedMail, Mail, PasswordChangedMail, PhoneChangedMail
from flexiapi.services.accounts.details import AccountDetails, Amendments, PasswordNeeded, entries_of
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.last_admin import LastAdminGuard
from flexiapi.services.ground import Ground
from flexiapi.services.names import taken
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords
from flexiapi.store import IdentifierTaken

# Of many changes of one account at once each round writes one at least, so the last needs as many tries as there are.
_TRIES = 60
_OF_PROFILE = {"username", "domain", "email", "phone", "display_name", "dtmf_protocol", "language"}


class AccountBusy(Unavailable):
    """Others change the same account all the time."""

    message = "Others are changing this account at the same time. Try again."


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
        `RecordNotFound`, `LastAdmin`, `OwnBlock`, `AccountBusy`, and `ValidationFailed` for a name that was taken
        meanwhile.
        """

        async def replaced(account: Account) -> Account | None:
            profile = self._profile(account, new, actor)
            leaves = self._leaves_space(account, profile.domain)
            change = account.replaced_by(
                profile,
                self._clock.second(),
                ends_sign_ins=self._is_other_password(account, new.username, profile.domain, new.password),
                keeps_key=keeps_key,
                leaves_space=leaves,
            )
            return await self._written(
                account, change, actor, may_end_role=leaves or not new.admin or bool(new.blocked)
            )

        return await self._repeated(account_id, actor, replaced)

    async def amend(self, account_id: int, new: Amendments, actor: Actor, *, keeps_key: bool = False) -> Account:
        """Change some details of an account, with the same effects as `replace`. Raises the same failures.

        Changes of other details at the same time hold. Another username or domain needs a password, for the stored
        hash is made with them.
        """

        async def amended(account: Account) -> Account | None:
            domain = self._domain(account, new.get("domain"), actor)
            leaves = self._leaves_space(account, domain)
            ends = self._ends_sign_ins(account, new, domain)
            change = account.amended(
                self._amendments(account, new, domain),
                self._clock.second(),
                ends_sign_ins=ends,
                keeps_key=keeps_key,
                leaves_space=leaves,
            )
            may_end_role = leaves or not new.get("admin", True) or new.get("blocked", False)
            return await self._written(account, change, actor, may_end_role=may_end_role)

        if not new:
            return await self._accounts.for_admin(account_id, actor.space)
        return await self._repeated(account_id, actor, amended)

    def _ends_sign_ins(self, account: Account, new: Amendments, domain: str) -> bool:
        """Return whether an amendment changes the name or the password. Raises `PasswordNeeded`."""
        username = new.get("username", account.username)
        if "password" in new:
            return self._is_other_password(account, username, domain, new["password"])
        if (username, domain) != (account.username, account.domain):
            raise PasswordNeeded
        return False

    async def _repeated(
        self, account_id: int, actor: Actor, change: Callable[[Account], Awaitable[Account | None]]
    ) -> Account:
        """Change an account as it is read until it did not change meanwhile, and tell its owner."""
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id, actor.space)
            changed = await change(account)
            if changed is not None:
                if changed.is_blocked and not account.is_blocked:
                    await self._store.sessions.remove_of(account.id)
                await self._tell(account, changed, actor)
                return changed
        raise AccountBusy

    async def _written(
        self, account: Account, change: Change[Account], actor: Actor, *, may_end_role: bool
    ) -> Account | None:
        try:
            if not may_end_role:
                return await self._store.accounts.apply(change, actor)
            async with self._guard.without(account):
                if change.after is not None and change.after.is_blocked and actor.account_id == account.id:
                    raise OwnBlock
                return await self._store.accounts.apply(change, actor)
        except IdentifierTaken as error:
            raise taken(error, None if change.after is None else change.after.username) from error

    def _leaves_space(self, account: Account, domain: str) -> bool:
        return self._spaces.of_domain(domain) is not self._spaces.of_domain(account.domain)

    def _domain(self, account: Account, asked: str | None, actor: Actor) -> str:
        return self._accounts.domain_for_admin(asked, actor.space) if asked else account.domain

    def _amendments(self, account: Account, new: Amendments, domain: str) -> dict[str, Any]:
        """Return the fields of the profile that change, with their new values."""
        given: dict[str, Any] = {name: value for name, value in new.items() if name in _OF_PROFILE}
        if "domain" in given:
            given["domain"] = domain
        if "dictionary" in new:
            given["dictionary"] = entries_of(new["dictionary"])
        if "admin" in new:
            given["is_admin"] = new["admin"]
        if "blocked" in new:
            given["is_blocked"] = new["blocked"]
        if "password" in new:
            username = new.get("username", account.username)
            given["password"] = self._passwords.stored(username, domain, new["algorithm"], new["password"])
        return given

    def _profile(self, account: Account, new: AccountDetails, actor: Actor) -> Profile:
        domain = self._domain(account, new.domain, actor)
        return Profile(
            username=new.username,
            domain=domain,
            password=self._passwords.stored(new.username, domain, new.algorithm, new.password),
            email=new.email,
            phone=new.phone,
            display_name=new.display_name,
            dtmf_protocol=new.dtmf_protocol,
            is_admin=new.admin,
            is_blocked=new.blocked,
            user_agent=actor.user_agent,
            language=new.language,
            dictionary=None if new.dictionary is None else entries_of(new.dictionary),
        )

    def _is_other_password(self, account: Account, username: str, domain: str, password: str) -> bool:
        is_same_name = (account.username, account.domain) == (username, domain)
        return not (is_same_name and self._passwords.fits(account, password))

    async def _tell(self, before: Account, after: Account, actor: Actor) -> None:
        now = self._clock.now()
        notices: list[Mail] = []
        if before.sign_in_epoch != after.sign_in_epoch:
            notices.append(PasswordChangedMail(after.address, now))
        if before.email != after.email:
            notices.append(EmailChangedMail(after.address, now))
        if before.phone != after.phone:
            notices.append(PhoneChangedMail(after.address, now))
        for notice in notices:
            await self._notices.notify(before.email, notice, after, actor)

    async def activate(self, account_id: int, actor: Actor) -> Account:
        """Activate an account. Pending codes and tokens stay usable.

        Raises `RecordNotFound`, and `ValidationFailed` if another account proved the number that names this one.
        """
        account = await self._accounts.for_admin(account_id, actor.space)
        try:
            return existing(await self._store.accounts.apply(account.activate(self._clock.second()), actor))
        except IdentifierTaken as error:
            raise taken(error, None) from error

    async def block(self, account_id: int, actor: Actor, reason: str | None = None) -> Account:
        """Block an account, which keeps all it has but may use nothing. The reason is for administrators alone.

        Raises `RecordNotFound`, `LastAdmin`, `OwnBlock`.
        """
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id, actor.space)
            async with self._guard.without(account):
                if actor.account_id == account_id:
                    raise OwnBlock
                blocked = await self._store.accounts.apply(account.block(self._clock.second(), reason), actor)
            if blocked is not None:
                await self._store.sessions.remove_of(account_id)
                return blocked
        raise AccountBusy

    async def unblock(self, account_id: int, actor: Actor) -> Account:
        """End the block of an account. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        return existing(await self._store.accounts.apply(account.unblock(self._clock.second()), actor))

    async def deactivate(self, account_id: int, actor: Actor) -> Account:
        """Deactivate an account and end its keys, nonces, codes and tokens. Raises `RecordNotFound`, `LastAdmin`."""
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id, actor.space)
            async with self._guard.without(account):
                deactivated = await self._store.accounts.apply(account.shut_out(self._clock.second()), actor)
            if deactivated is not None:
                return deactivated
        raise RecordNotFound
