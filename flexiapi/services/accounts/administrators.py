"""Administrators that an operator makes on the machine itself."""

from dataclasses import replace
from datetime import timedelta

from flexiapi.crypto.keys import token_hash
from flexiapi.errors import RecordNotFound, ValidationFailed
from flexiapi.model import Account, Algorithm
from flexiapi.services.clock import Clock
from flexiapi.services.names import NameRules, taken
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.store import IdentifierTaken, Store

TEST_USERNAME = "admin_test"
TEST_DOMAIN = "sip.example.org"
TEST_KEY = "no_secret_at_all"


class Administrators:
    """Makes administrators."""

    def __init__(
        self, store: Store, rules: NameRules, passwords: Passwords, clock: Clock, app_name: str, sip_domain: str
    ) -> None:
        self._store = store
        self._rules = rules
        self._passwords = passwords
        self._clock = clock
        self._app_name = app_name
        self._sip_domain = sip_domain

    async def create(self, username: str, password: str, email: str | None) -> Account:
        """An activated administrator; `email` is a valid address in lower case. Raises `ValidationFailed`."""
        errors = {
            "username": [text.format(field="username") for text in self._rules.username(username, may_be_phone=False)],
            "password": [text.format(field="password") for text in self._rules.password(password)],
        }
        if any(errors.values()):
            raise ValidationFailed({field: texts for field, texts in errors.items() if texts})
        account = self._made(username, self._sip_domain, password)
        try:
            return await self._store.accounts.add(replace(account, email=email))
        except IdentifierTaken as error:
            known = await self._store.accounts.by_address(account.username, account.domain)
            raise (taken(error, username) if known is None else _known(known)) from error

    def _made(self, username: str, domain: str, password: str) -> Account:
        now = self._clock.second()
        return Account(
            id=0,
            username=username,
            domain=domain,
            created_at=now,
            updated_at=now,
            activated=True,
            activated_at=now,
            user_agent=self._app_name,
            admin_since=now,
            passwords=(self._passwords.stored(username, domain, Algorithm.SHA_256, password),),
        )

    async def promote(self, account_id: int) -> Account:
        """Give an account of any domain the role. Raises `RecordNotFound`."""
        account = await self._store.accounts.by_id(account_id)
        if account is None:
            raise RecordNotFound(f"There is no account with the id {account_id}.")
        now = self._clock.second()
        promoted = await self._store.accounts.update(account, admin_since=account.admin_since or now, updated_at=now)
        if promoted is None:
            raise RecordNotFound
        return promoted

    async def create_test(self) -> Account:
        """The administrator of client test suites, made anew, as if three years old."""
        known = await self._store.accounts.by_address(TEST_USERNAME, TEST_DOMAIN)
        if known is not None:
            await self._store.accounts.remove(known.id)
        account = self._made(TEST_USERNAME, TEST_DOMAIN, TEST_KEY)
        created_at = self._clock.second() - timedelta(days=3 * 365)
        account = await self._store.accounts.add(replace(account, created_at=created_at))
        await self._store.accounts.set_api_key(account.id, token_hash(TEST_KEY), self._clock.now())
        return account


def _known(account: Account) -> ValidationFailed:
    text = f"username is taken: sip:{account.address} has the id {account.id}"
    if account.is_admin:
        return ValidationFailed({"username": [f"{text} and is an administrator already"]})
    return ValidationFailed(
        {"username": [f"{text}; `flexiapi accounts set-admin {account.id}` makes it an administrator"]}
    )
