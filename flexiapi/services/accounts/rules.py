"""Checks of account values against the store, before a change."""

from typing import TypedDict

from flexiapi.errors import FieldErrors, Forbidden
from flexiapi.model import Account, Space
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.codes import CreationTokens
from flexiapi.services.ground import Ground
from flexiapi.services.names import NameRules


class AccountValues(TypedDict, total=False):
    """The values of a creation or change of an account that are given and well-formed."""

    username: str | None
    domain: str | None
    password: str
    email: str | None
    phone: str | None
    account_creation_token: str


class RegistrationClosed(Forbidden):
    """Only administrators create accounts in this service."""

    message = "Accounts of this service are made by its administrators."


class AccountRules:
    """Checks for names that are taken and passwords that are easily guessed.

    Each method returns texts by field, empty if all values are right. Without a `space` it is the default one.
    """

    def __init__(self, ground: Ground, accounts: AccountDirectory, creation_tokens: CreationTokens) -> None:
        self._names = ground.names
        self._accounts = accounts
        self._creation_tokens = creation_tokens
        self._spaces = ground.spaces

    async def creation_faults(self, values: AccountValues, space: Space | None = None) -> FieldErrors:
        """Check the values of an account that an administrator creates."""
        domain = self._accounts.domain_for_admin(values.get("domain"), space)
        return await self._names.conflicts(values, domain, public=False)

    async def replacement_faults(
        self, account_id: int, values: AccountValues, space: Space | None = None
    ) -> FieldErrors:
        """Check the values that replace those of an account. It may keep a username that the rules now refuse."""
        account = await self._accounts.if_any(account_id, space)
        asked = values.get("domain")
        domain = self._accounts.domain_for_admin(asked, space) if asked or account is None else account.domain
        own_id = account.id if account else None
        faults = await self._names.conflicts(values, domain, public=False, own_id=own_id)
        username = values.get("username")
        if username and (account is None or account.username != username):
            texts = NameRules(space or self._spaces.default).username(username, may_be_phone=False)
            if texts:
                faults["username"] = [text.format(field="username") for text in texts]
        return faults

    def refuse_closed(self, space: Space) -> None:
        """Raise `RegistrationClosed` if only administrators create accounts in the space."""
        if space.registration == "closed":
            raise RegistrationClosed

    async def sign_up_faults(self, values: AccountValues, space: Space | None = None) -> FieldErrors:
        """Check the values of an account that a creation token creates."""
        space = space or self._spaces.default
        faults = self._password_faults(values, values.get("username"), space.domain, space)
        faults |= await self._names.conflicts(values, space.domain, public=True)
        return faults | await self._creation_tokens.sign_up_faults(values, space)

    async def public_sign_up_faults(self, values: AccountValues, space: Space | None = None) -> FieldErrors:
        """Check the values of an account that a code activates; without a username, the phone number is its name."""
        space = space or self._spaces.default
        domain = values.get("domain") or space.domain
        username = values.get("username") or values.get("phone")
        # What is taken in a domain of another service is not told.
        faults: FieldErrors = {}
        if domain not in space.scope.but and space.scope.only in (None, domain):
            faults = await self._names.conflicts({**values, "username": username}, domain, public=True)
        if not values.get("username") and "username" in faults:
            faults["phone"] = ["phone is taken"]
            del faults["username"]
        if domain not in space.names.public_domains:
            faults["domain"] = ["domain is not one of this service"]
        faults |= await self._creation_tokens.sign_up_faults(values, space)
        return self._password_faults(values, username, domain, space) | faults

    async def password_faults(self, account: Account, values: AccountValues) -> FieldErrors:
        """Check a new password of an account."""
        return self._password_faults(values, account.username, account.domain, self._accounts.space_of(account))

    def _password_faults(self, values: AccountValues, username: str | None, domain: str, space: Space) -> FieldErrors:
        password = values.get("password")
        return NameRules(space).password_for(password, username, domain) if password else {}
