"""Administration of accounts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, cast

from pydantic import Field

from flexiapi.api.account_filter import AccountFilter
from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import EmailAddress, Id, as_kept
from flexiapi.api.views.accounts import (
    AccountView,
    CreatedAccount,
    ListedAccount,
    SingleAccount,
    WrittenAccount,
)
from flexiapi.api.views.pages import AccountsPage
from flexiapi.errors import FieldErrors, LastAdmin, NoExternalAccountLeft, OwnBlock, RecordNotFound, SpaceFull
from flexiapi.model import AccountSelection, KeyScope
from flexiapi.services.accounts import AccountBusy, AccountDetails, Amendments
from flexiapi.services.fields import (
    Algorithm,
    Dictionary,
    DisplayName,
    Domain,
    DtmfProtocol,
    Email,
    ExistingUsername,
    Expiry,
    Flag,
    KnownPhone,
    LanguageTag,
    PasswordOfDomain,
    Phone,
    UsernameOfDomain,
)
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

# The description is outside of the `| None`, where the schema of a flag would replace it.
ReplacedPhone = Annotated[KnownPhone, Field(description="a phone number; what the account only claims stays a claim")]
AdminFlag = Annotated[Flag | None, Field(description="make it an administrator; `false` by default", examples=[False])]


class AccountCreation(Params):
    """The values of an account that an administrator creates."""

    username: UsernameOfDomain
    password: PasswordOfDomain
    algorithm: Algorithm
    domain: (
        Annotated[
            Domain,
            Field(
                description="not configurable by default: only if `app.admins_manage_multi_domains` is set; otherwise "
                "`app.sip_domain` is used"
            ),
        ]
        | None
    ) = None
    activated: Annotated[Flag | None, Field(description="`false` by default", examples=[False])] = None
    blocked: Annotated[Flag | None, Field(description="`false` by default", examples=[False])] = None
    display_name: DisplayName | None = None
    email: Email | None = None
    admin: AdminFlag = None
    phone: Annotated[Phone, Field(description="set a phone number to the account: `+` and digits")] | None = None
    dtmf_protocol: DtmfProtocol | None = None
    language: LanguageTag | None = None
    dictionary: Dictionary | None = None
    confirmation_key_expires: Expiry | None = None

    @property
    def expires(self) -> datetime | None:
        """The time at which the confirmation key expires."""
        return self.confirmation_key_expires


class AccountReplacement(Params):
    """The values that replace those of an account."""

    username: ExistingUsername
    password: PasswordOfDomain
    algorithm: Algorithm
    domain: Annotated[Domain, Field(description="kept when not given; counts as in the creation")] | None = None
    display_name: DisplayName | None = None
    email: Email | None = None
    admin: AdminFlag = None
    phone: ReplacedPhone | None = None
    dtmf_protocol: DtmfProtocol | None = None
    language: Annotated[LanguageTag, Field(description="language of mails and SMS; kept when not given")] | None = None
    dictionary: (
        Annotated[Dictionary, Field(description="replaces all entries; they are kept when not given")] | None
    ) = None
    blocked: Annotated[Flag | None, Field(description="block it, or end its block; kept when not given")] = None


class AccountAmendment(Params):
    """The values that change those of an account; it keeps those that are not given. `null` removes one."""

    clearable = frozenset({"display_name", "email", "phone", "dtmf_protocol", "language"})

    username: ExistingUsername | None = None
    password: Annotated[PasswordOfDomain, Field(description="required with another username or domain")] | None = None
    algorithm: Annotated[
        Algorithm | None, Field(description="hash of the password, `SHA-256` or `MD5`; required with it")
    ] = None
    domain: Annotated[Domain, Field(description="counts as in the creation")] | None = None
    display_name: DisplayName | None = None
    email: Email | None = None
    admin: Annotated[Flag | None, Field(description="make it an administrator, or no longer")] = None
    phone: ReplacedPhone | None = None
    dtmf_protocol: DtmfProtocol | None = None
    language: LanguageTag | None = None
    dictionary: Annotated[Dictionary, Field(description="replaces all entries")] | None = None
    blocked: Annotated[Flag | None, Field(description="block it, or end its block")] = None

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Require password and algorithm together."""
        for name, other in (("password", "algorithm"), ("algorithm", "password")):
            if values.get(other) and not values.get(name) and name not in errors:
                errors[name] = [f"{name} is required with {other}"]


class AccountsEndpoint(ApiEndpoint):
    """The account collection."""

    path = "/api/accounts"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ)
    async def get(self, query: AccountFilter) -> AccountsPage:
        """Retrieve all the accounts, paginated.

        As long as no filter but `domain` is given, every page takes the same time. `search` finds the beginnings of
        words in usernames, addresses, phone numbers and display names, without regard to case and accents; several
        words must all be there. Then come accounts that have the text elsewhere in a word, as far as they are found in
        a second, at most 200; `search_incomplete` tells if there may be more.
        """
        wanted = AccountSelection(
            domain=query.domain.lower() if query.domain else None,
            activated=query.activated,
            admin=query.admin,
            blocked=query.blocked,
            text=query.search,
        )
        page = await self.accounts.directory.page(wanted, query.page, self.space)
        data = await self.view_data(*page.accounts)
        listed = [ListedAccount.of(account, data) for account in page.accounts]
        return AccountsPage.of(page, listed, f"{self.public_url}{self.path}", query.filters)

    @endpoint(
        Access.ADMIN,
        raises=(NoExternalAccountLeft, SpaceFull),
        checks=lambda exchange, values: exchange.accounts.rules.creation_faults(values, exchange.space),
        secret=True,
    )
    async def post(self, body: AccountCreation) -> CreatedAccount:
        """Create an account directly from the API.

        If `activated` is set to `false` a random generated `confirmation_key` and `provisioning_token` will be
        returned to allow further activation using the public endpoints and provision the account. Check
        `confirmation_key_expires` to also set an expiration date on that `confirmation_key`.
        """
        new = AccountDetails(
            username=body.username,
            domain=body.domain,
            password=body.password,
            algorithm=body.algorithm,
            email=body.email,
            phone=body.phone,
            display_name=body.display_name,
            dtmf_protocol=body.dtmf_protocol,
            admin=bool(body.admin),
            language=body.language,
            dictionary=body.dictionary,
            blocked=body.blocked,
        )
        account = await self.accounts.creation.by_admin(
            new, self.actor, activated=bool(body.activated), expires=body.expires
        )
        return CreatedAccount.of(account, await self.view_data(account))


class AccountByIdEndpoint(ApiEndpoint):
    """An account."""

    path = "/api/accounts/{id}"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, raises=(RecordNotFound,), secret=True)
    async def get(self, id: Id) -> SingleAccount:
        """Retrieve a specific account.

        A named API key sees neither `confirmation_key` nor `provisioning_token`, which are `null` for it.
        """
        account = await self.accounts.directory.for_admin(id, self.space)
        view = SingleAccount.of(account, await self.view_data(account))
        if self.sees_secrets:
            return view
        return replace(view, confirmation_key=None, provisioning_token=None, block_reason=None)

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, LastAdmin, OwnBlock, SpaceFull, AccountBusy),
        checks=lambda exchange, values: exchange.accounts.rules.replacement_faults(
            exchange.arguments["id"], values, exchange.space
        ),
        secret=True,
    )
    async def put(self, id: Id, body: AccountReplacement) -> WrittenAccount:
        """Update an existing account.

        The account is replaced as a whole: parameters that are not given are reset, `admin` too, but `language` and
        `dictionary` are kept. Another password, username or domain signs the account out everywhere.
        """
        new = AccountDetails(
            username=body.username,
            password=body.password,
            algorithm=body.algorithm,
            domain=body.domain,
            email=body.email,
            phone=body.phone,
            display_name=body.display_name,
            dtmf_protocol=body.dtmf_protocol,
            admin=bool(body.admin),
            language=body.language,
            dictionary=body.dictionary,
            blocked=body.blocked,
        )
        account = await self.accounts.administration.replace(id, new, self.actor, keeps_key=self._keeps_key(id))
        return WrittenAccount.of(account, await self.view_data(account))

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, LastAdmin, OwnBlock, SpaceFull, AccountBusy),
        checks=lambda exchange, values: exchange.accounts.rules.amendment_faults(
            exchange.arguments["id"], values, exchange.space
        ),
        secret=True,
    )
    async def patch(self, id: Id, body: AccountAmendment) -> WrittenAccount:
        """Change what the body names of an account, and keep the rest.

        `null` removes `display_name`, `email`, `phone`, `dtmf_protocol` or `language`. Another password, username or
        domain signs the account out everywhere; another username or domain needs a password.
        """
        new = cast("Amendments", {name: getattr(body, name) for name in body.model_fields_set})
        account = await self.accounts.administration.amend(id, new, self.actor, keeps_key=self._keeps_key(id))
        return WrittenAccount.of(account, await self.view_data(account))

    def _keeps_key(self, account_id: int) -> bool:
        """Return whether the account is one's own and its key signs this very request."""
        return self.me.id == account_id and self.signed_in.key_hash is not None

    @endpoint(Access.ADMIN, raises=(RecordNotFound, LastAdmin))
    async def delete(self, id: Id) -> None:
        """Delete a specific account and its related information."""
        await self.accounts.removal.remove(await self.accounts.directory.for_admin(id, self.space), self.actor)


class AccountByEmailEndpoint(ApiEndpoint):
    """An account by its e-mail address."""

    path = "/api/accounts/{email}/search-by-email"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, raises=(RecordNotFound,))
    async def get(self, email: EmailAddress) -> AccountView:
        """Search for a specific account by email.

        If several accounts have the address, the first one is returned.
        """
        account = await self.accounts.directory.for_admin_by_email(as_kept(email), self.space)
        return AccountView.of(account, await self.view_data(account))
