"""Lookups and repairs of single accounts for operators, in every space."""

from collections.abc import Sequence

from flexiapi.errors import ValidationFailed
from flexiapi.model import Account, AccountSelection, AccountsFound, Actor, Algorithm
from flexiapi.rendering.messages import PasswordChangedMail
from flexiapi.services.ground import Ground
from flexiapi.services.names import NameRules
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords

_LONGEST_ID = 18


class AccountSupport:
    """Lookups and repairs of accounts for the operator, who sees all spaces."""

    def __init__(self, ground: Ground, passwords: Passwords) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._all = (ground.spaces.default, *ground.spaces.by_domain.values())
        self._passwords = passwords
        self._notices = ground.notices
        self._clock = ground.clock

    async def named(self, text: str) -> Sequence[Account]:
        """Return the accounts with this id, SIP address, phone number, mail address or user name; none is an answer."""
        if text.isdecimal() and len(text) <= _LONGEST_ID:
            by_id = await self._store.accounts.by_id(int(text))
            if by_id is not None:
                return [by_id]
        name, at, domain = text.partition("@")
        found = await self._by_phone_or_name(name) if not at else await self._by_address(name, domain.lower())
        return sorted({account.id: account for account in found}.values(), key=lambda account: account.id)

    async def _by_phone_or_name(self, name: str) -> list[Account]:
        spaces, accounts = self._all, self._store.accounts
        found = [await accounts.by_phone(name, space) for space in spaces]
        found += [await accounts.by_address(name.lower(), space.domain) for space in spaces]
        return [account for account in found if account is not None]

    async def _by_address(self, name: str, domain: str) -> list[Account]:
        by_address = await self._store.accounts.by_address_or_alias(name.lower(), domain)
        if by_address is not None:
            return [by_address]
        by_email = [
            await self._store.listings.first_by_email(f"{name}@{domain}".lower(), space.scope) for space in self._all
        ]
        return [account for account in by_email if account is not None]

    async def page(self, wanted: AccountSelection, skip: int, limit: int) -> AccountsFound:
        """Return the number of matching accounts, and up to `limit` of them after `skip`, by id."""
        return await self._store.listings.page(wanted, skip, limit)

    async def set_password(self, account: Account, password: str, actor: Actor) -> Account:
        """Set a password, which ends all sign-ins and pending codes. Raises `ValidationFailed`, `RecordNotFound`."""
        rules = NameRules(self._spaces.of_domain(account.domain))
        errors = [text.format(field="password") for text in rules.password(password)]
        errors += rules.password_for(password, account.username, account.domain).get("password", [])
        if errors:
            raise ValidationFailed({"password": errors})
        stored = self._passwords.stored(account.username, account.domain, Algorithm.SHA_256, password)
        change = account.with_password(stored, self._clock.second(), keeps_key=False, by_operator=True)
        changed = existing(await self._store.accounts.apply(change, actor))
        await self._notices.notify(
            changed.email, PasswordChangedMail(changed.address, self._clock.now()), changed, actor
        )
        return changed
