"""Administrators that an operator creates by command."""

from datetime import timedelta
from typing import Any

from flexiapi.crypto.keys import token_hash
from flexiapi.errors import RecordNotFound, ValidationFailed
from flexiapi.model import Account, AccountSelection, Actor, Algorithm, Change
from flexiapi.services.ground import Ground
from flexiapi.services.names import NameRules, taken
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords
from flexiapi.store import IdentifierTaken

TEST_USERNAME = "admin_test"
TEST_DOMAIN = "sip.example.org"
TEST_KEY = "no_secret_at_all"


class Administrators:
    """Creation of administrators."""

    def __init__(self, ground: Ground, passwords: Passwords) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._passwords = passwords
        self._clock = ground.clock
        self._is_there = False

    async def are_missing(self) -> bool:
        """Return whether no account is an administrator. Once there is one, it is not looked for again."""
        if not self._is_there:
            found = await self._store.listings.page(AccountSelection(None, admin=True), 0, 1)
            self._is_there = found.total > 0
        return not self._is_there

    async def create(self, username: str, password: str, email: str | None, actor: Actor) -> Account:
        """Create an activated administrator of the actor's space; `email` is a valid address in lower case.

        Raises `ValidationFailed`.
        """
        space = actor.space or self._spaces.default
        rules = NameRules(space)
        errors = {
            "username": [text.format(field="username") for text in rules.username(username, may_be_phone=False)],
            "password": [text.format(field="password") for text in rules.password(password)],
        }
        errors["password"] += rules.password_for(password, username, space.domain).get("password", [])
        if any(errors.values()):
            raise ValidationFailed({field: texts for field, texts in errors.items() if texts})
        stored = self._passwords.stored(username, space.domain, Algorithm.SHA_256, password)
        change = self._new(username, space.domain, email=email, passwords=(stored,))
        try:
            return existing(await self._store.accounts.apply(change, actor))
        except IdentifierTaken as error:
            known = await self._store.accounts.by_address(username, space.domain)
            raise (taken(error, username) if known is None else _known(known)) from error

    def _new(self, username: str, domain: str, **fields: Any) -> Change[Account]:
        return Account.new(
            self._clock.second(),
            activated=True,
            is_admin=True,
            username=username,
            domain=domain,
            user_agent=self._spaces.of_domain(domain).name,
            **fields,
        )

    async def promote(self, account_id: int, actor: Actor) -> Account:
        """Give an account of any domain the admin role. Raises `RecordNotFound`."""
        account = await self._store.accounts.by_id(account_id)
        if account is None:
            raise RecordNotFound(f"There is no account with the id {account_id}.")
        return existing(await self._store.accounts.apply(account.grant_admin(self._clock.second()), actor))

    async def create_test(self, actor: Actor) -> Account:
        """Create or replace the administrator of client test suites, created three years ago and without a password."""
        accounts = self._store.accounts
        known = await accounts.by_address(TEST_USERNAME, TEST_DOMAIN)
        if known is not None:
            await accounts.apply(known.remove(), actor)
        created_at = self._clock.second() - timedelta(days=3 * 365)
        created = existing(await accounts.apply(self._new(TEST_USERNAME, TEST_DOMAIN, created_at=created_at), actor))
        key_hash = token_hash(TEST_KEY)
        return existing(await accounts.apply(created.with_api_key(key_hash, self._clock.now()), actor))


def _known(account: Account) -> ValidationFailed:
    text = f"username is taken: sip:{account.address} has the id {account.id}"
    if account.is_admin:
        return ValidationFailed({"username": [f"{text} and is an administrator already"]})
    return ValidationFailed(
        {"username": [f"{text}; `flexiapi accounts set-admin {account.id}` makes it an administrator"]}
    )
