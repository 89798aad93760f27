"""Checks of account values against the store, before a change."""

from collections.abc import Mapping
from typing import Any, TypedDict

from flexiapi.errors import FieldErrors, Forbidden
from flexiapi.model import Account, Algorithm, CodeChannel, Space
from flexiapi.services.accounts.details import PasswordNeeded
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.sign_up import SigningUp
from flexiapi.services.codes import CreationTokens
from flexiapi.services.fields import number_faults
from flexiapi.services.ground import Ground
from flexiapi.services.names import NameRules


class AccountValues(TypedDict, total=False):
    """The values of a creation or change of an account that are given and well-formed."""

    username: str | None
    domain: str | None
    password: str
    algorithm: Algorithm
    email: str | None
    phone: str | None
    account_creation_token: str
    channel: CodeChannel


class RegistrationClosed(Forbidden):
    """Only administrators create accounts in this service."""

    message = "Accounts of this service are made by its administrators."


class AccountRules:
    """Checks for names that are taken and passwords that are easily guessed.

    Each method returns texts by field, empty if all values are right. Without a `space` it is the default one.
    """

    def __init__(
        self, ground: Ground, accounts: AccountDirectory, creation_tokens: CreationTokens, sign_up: SigningUp
    ) -> None:
        self._names = ground.names
        self._phone_countries = ground.phone_countries
        self._accounts = accounts
        self._creation_tokens = creation_tokens
        self._sign_up = sign_up
        self._spaces = ground.spaces
        self._md5 = ground.settings.account.md5

    async def creation_faults(self, values: AccountValues, space: Space | None = None) -> FieldErrors:
        """Check the values of an account that an administrator creates."""
        domain = self._accounts.domain_for_admin(values.get("domain"), space)
        return await self._admin_faults(values, domain)

    async def replacement_faults(
        self, account_id: int, values: AccountValues, space: Space | None = None
    ) -> FieldErrors:
        """Check the values that replace those of an account.

        In its space it may keep a username that the rules refuse.
        """
        account = await self._accounts.if_any(account_id, space)
        asked = values.get("domain")
        domain = self._accounts.domain_for_admin(asked, space) if asked or account is None else account.domain
        return await self._admin_faults(values, domain, account)

    async def amendment_faults(self, account_id: int, values: AccountValues, space: Space | None = None) -> FieldErrors:
        """Check the values of which some replace those of an account.

        Another username or domain needs a password, whose hash is made with both.
        """
        account = await self._accounts.if_any(account_id, space)
        if account is None:
            return {}
        asked = values.get("domain")
        domain = self._accounts.domain_for_admin(asked, space) if asked else account.domain
        username = values.get("username") or account.username
        faults = await self._admin_faults({**values, "username": username}, domain, account)
        if (username, domain) != (account.username, account.domain) and not values.get("password"):
            faults |= PasswordNeeded().errors
        return faults

    async def _admin_faults(self, values: AccountValues, domain: str, known: Account | None = None) -> FieldErrors:
        """Check values by the rules of the domain's space, which need not be that of the administrator."""
        space = self._spaces.of_domain(domain)
        rules = NameRules(space)
        username, password = values.get("username"), values.get("password")
        is_kept = known is not None and known.username == username and self._accounts.space_of(known) is space
        texts = {
            "username": rules.username(username, may_be_phone=False) if username and not is_kept else [],
            "password": rules.password(password) if password else [],
            "phone": _admin_number_faults(values.get("phone"), username, known),
        }
        faults = {field: [text.format(field=field) for text in found] for field, found in texts.items() if found}
        faults = self._password_faults(values, username, domain, space) | faults
        if known is None or values.get("phone") not in (known.phone, known.claimed_phone):
            faults = await self._phone_countries.faults(values.get("phone"), space) | faults
        right = {field: value for field, value in values.items() if field not in faults}
        own_id = known.id if known else None
        return faults | await self._names.conflicts(right, domain, public=False, own_id=own_id)

    def refuse_closed(self, space: Space) -> None:
        """Raise `RegistrationClosed` if only administrators create accounts in the space."""
        if space.registration == "closed":
            raise RegistrationClosed

    async def sign_up_faults(self, values: AccountValues, space: Space | None = None) -> FieldErrors:
        """Check the values of an account that a creation token creates."""
        space = space or self._spaces.default
        refused = await self._creation_tokens.sign_up_faults(values, space)
        # Without a right token nothing is told about names in use.
        if refused or "account_creation_token" not in values:
            return refused
        faults = self._password_faults(values, values.get("username"), space.domain, space)
        return faults | await self._names.conflicts(values, space.domain, public=True)

    async def public_sign_up_faults(self, values: AccountValues, space: Space | None = None) -> FieldErrors:
        """Check the values of an account that a code activates; without a username, the phone number is its name."""
        space = space or self._spaces.default
        refused = await self._creation_tokens.sign_up_faults(values, space)
        # Without a right token nothing is told about names in use.
        if refused or "account_creation_token" not in values:
            return refused
        domain = values.get("domain") or space.domain
        username = values.get("username") or values.get("phone")
        # What is taken in a domain of another service is not told.
        faults: FieldErrors = {}
        if domain not in space.scope.but and space.scope.only in (None, domain):
            faults = await self._sign_up.faults(values, domain, space)
        if domain not in space.names.public_domains:
            faults["domain"] = ["domain is not one of this service"]
        return self._password_faults(values, username, domain, space) | faults

    def new_password_faults(self, values: Mapping[str, Any], space: Space) -> FieldErrors:
        """Check the password of a new account of the space against its names."""
        password = values.get("password")
        return NameRules(space).password_for(password, values.get("username"), space.domain) if password else {}

    async def password_faults(self, account: Account, values: AccountValues) -> FieldErrors:
        """Check a new password of an account."""
        return self._password_faults(values, account.username, account.domain, self._accounts.space_of(account))

    def _password_faults(self, values: AccountValues, username: str | None, domain: str, space: Space) -> FieldErrors:
        """Check a password against the names of its account, and its algorithm against the settings."""
        password = values.get("password")
        faults = NameRules(space).password_for(password, username, domain) if password else {}
        if values.get("algorithm") is Algorithm.MD5 and not self._md5:
            faults["algorithm"] = ["algorithm must be SHA-256: MD5 is switched off"]
        return faults


def _admin_number_faults(phone: str | None, username: str | None, known: Account | None) -> list[str]:
    """Return what is wrong with a number that an administrator gives. One that the account has may stay as it is."""
    if phone is None or (known is not None and phone in (known.phone, known.claimed_phone)):
        return []
    if known is not None and known.is_claim and username == known.username:
        return ["{field} must be the username, as long as that is not proven"]
    return number_faults(phone)
