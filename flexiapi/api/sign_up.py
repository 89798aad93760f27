"""Public account creation and activation, and public information about accounts."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint, is_dangerous_enabled
from flexiapi.api.segments import Id, Sip, required_address
from flexiapi.api.views.accounts import AccountView, InactiveAccount, PublicInfo
from flexiapi.errors import (
    ActivationExpired,
    DeliveryFailed,
    FieldErrors,
    NoExternalAccountLeft,
    RecordNotFound,
    SpaceFull,
    TooManyRequests,
    ValidationFailed,
)
from flexiapi.services.accounts import AccountDetails, RegistrationClosed
from flexiapi.services.fields import (
    Algorithm,
    ClaimedPhone,
    CodeChannel,
    ConfirmationKey,
    CreationToken,
    Domain,
    DtmfProtocol,
    Email,
    Password,
    Pin,
    PublicUsername,
    Username,
)
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Switch
from flexiapi.web.parameters import Params

NOT_SENT = (RecordNotFound, ValidationFailed, ActivationExpired, DeliveryFailed, TooManyRequests)


class SignUp(Params):
    """The values of an account that a creation token creates."""

    username: Username
    password: Password
    algorithm: Algorithm
    account_creation_token: CreationToken
    dtmf_protocol: DtmfProtocol | None = None


class PublicSignUp(Params):
    """The values of an account that a code activates."""

    username: PublicUsername | None = None
    password: Password
    algorithm: Algorithm
    domain: (
        Annotated[
            Domain,
            Field(description="if not set, the default registration domain; others: `account.public_domains`"),
        ]
        | None
    ) = None
    email: (
        Annotated[
            Email,
            Field(
                description="optional if `phone` is set; set an e-mail address to the account, must be unique if "
                "`account.email_unique` is set"
            ),
        ]
        | None
    ) = None
    phone: (
        Annotated[
            ClaimedPhone,
            Field(
                description="required if `username` is not set, optional if `email` is set: set a phone number to the "
                "account. In the form of E.164: `+` and digits; only a claim until a PIN sent to it proves it"
            ),
        ]
        | None
    ) = None
    account_creation_token: CreationToken
    channel: CodeChannel = "sms"

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Require a phone number, or a username and an e-mail address."""
        if values.get("phone") or "phone" in errors:
            return
        missing = [name for name in ("username", "email") if not values.get(name) and name not in errors]
        errors.update({name: [f"{name} is missing (or a phone number)"] for name in missing})
        if missing:
            errors["phone"] = [f"phone is missing (or {' and '.join(missing)})"]


class EmailConfirmation(Params):
    """A key that was received by mail; `code` is another name of `confirmation_key`."""

    aliases: ClassVar[Mapping[str, str]] = {"code": "confirmation_key"}
    confirmation_key: ConfirmationKey


class PhoneConfirmation(Params):
    """A PIN that was received by phone; `code` is another name of `confirmation_key`."""

    aliases: ClassVar[Mapping[str, str]] = {"code": "confirmation_key"}
    confirmation_key: Pin


class CodeRequest(Params):
    """The way of a new code."""

    channel: CodeChannel = "sms"


async def _is_not_closed(exchange: ApiEndpoint) -> None:
    exchange.accounts.rules.refuse_closed(exchange.space)


class PublicAccountsEndpoint(ApiEndpoint):
    """Accounts that are activated by a code, sent by mail or SMS."""

    path = "/api/accounts/public"

    @endpoint(
        Access.PUBLIC,
        raises=(
            RecordNotFound,
            NoExternalAccountLeft,
            RegistrationClosed,
            SpaceFull,
            DeliveryFailed,
            TooManyRequests,
        ),
        switch=Switch(is_dangerous_enabled),
        requires=_is_not_closed,
        checks=lambda exchange, values: exchange.accounts.rules.public_sign_up_faults(values, exchange.space),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: PublicSignUp) -> InactiveAccount:
        """Create an account.

        Return `422` if the parameters are invalid. Send an email with the activation key if `email` is set,
        send an SMS otherwise, and always to an account that is named by its phone number.
        A phone number is a claim until the PIN sent to it proves it: the account is not found by it before.
        While that PIN can be used, the number is refused with `422`; afterwards the account can be created again, with
        the same number or the same username and address, and replaces the one that was not confirmed.
        The account remembers the language of `Accept-Language` in which there are messages, for those that follow.
        Return `503` or `429` if the PIN of an account that is named by its number could not be sent; nothing is left
        of it then, and the `account_creation_token` stays usable.
        """
        new = AccountDetails(
            username=body.username or body.phone or "",
            domain=body.domain,
            password=body.password,
            algorithm=body.algorithm,
            email=body.email,
            phone=body.phone,
        )
        account = await self.accounts.signing_up.sign_up(
            new, body.account_creation_token, self.actor, channel=body.channel
        )
        return InactiveAccount.of(account, await self.view_data(account))


class AccountsWithTokenEndpoint(ApiEndpoint):
    """Accounts that a creation token alone creates."""

    path = "/api/accounts/with-account-creation-token"

    @endpoint(
        Access.PUBLIC,
        raises=(NoExternalAccountLeft, RegistrationClosed, SpaceFull),
        requires=_is_not_closed,
        checks=lambda exchange, values: exchange.accounts.rules.sign_up_faults(values, exchange.space),
    )
    async def post(self, body: SignUp) -> InactiveAccount:
        """Create an account using an `account_creation_token`.

        Return `422` if the parameters are invalid or if the token is expired. The account is activated by its
        provisioning. It remembers the language of `Accept-Language` in which there are messages.
        """
        new = AccountDetails(
            username=body.username,
            password=body.password,
            algorithm=body.algorithm,
            dtmf_protocol=body.dtmf_protocol,
        )
        account = await self.accounts.creation.with_token(new, body.account_creation_token, self.actor)
        return InactiveAccount.of(account, await self.view_data(account))


class AccountInfoEndpoint(ApiEndpoint):
    """The public information about an account."""

    path = "/api/accounts/{sip}/info"

    @endpoint(Access.PUBLIC, raises=(RecordNotFound,))
    async def get(self, sip: Sip) -> PublicInfo:
        """Retrieve public information about the account.

        Return `404` if the account doesn't exist.
        """
        activated = await self.accounts.directory.is_activated(*required_address(sip), self.space)
        return PublicInfo(activated=activated, realm=self.space.realm)


class ActivationByEmailEndpoint(ApiEndpoint):
    """Activation by a key from a mail."""

    path = "/api/accounts/{sip}/activate/email"

    @endpoint(Access.PUBLIC, raises=(RecordNotFound, ActivationExpired), guard=Guard(guess=True))
    async def post(self, sip: Sip, body: EmailConfirmation) -> AccountView:
        """Activate an account using a secret code received by email.

        Return `404` if the account doesn't exist or if the code is incorrect, the validated account otherwise.
        """
        account = await self.codes.activation.activate(
            *required_address(sip), body.confirmation_key, self.actor, channel="email"
        )
        return AccountView.of(account, await self.view_data(account))


class ActivationByPhoneEndpoint(ApiEndpoint):
    """Activation by a PIN from an SMS."""

    path = "/api/accounts/{sip}/activate/phone"

    @endpoint(Access.PUBLIC, raises=(RecordNotFound, ActivationExpired), guard=Guard(guess=True))
    async def post(self, sip: Sip, body: PhoneConfirmation) -> AccountView:
        """Activate an account using a pin code received by phone.

        The code proves the phone number that the account claims. Return `404` if the account doesn't exist or if the
        code is incorrect, `422` if another account proved the number first, the validated account otherwise.
        """
        account = await self.codes.activation.activate(
            *required_address(sip), body.confirmation_key, self.actor, channel="phone"
        )
        return AccountView.of(account, await self.view_data(account))


class MyResendingEndpoint(ApiEndpoint):
    """The activation code of the current user, once more."""

    path = "/api/accounts/me/resend"

    @endpoint(Access.USER, raises=NOT_SENT, guard=Guard(limit="messages"))
    async def post(self, body: CodeRequest) -> None:
        """Send a new activation code, by mail or SMS as the one before, which ends.

        Return `404` if the account is active or has neither an e-mail address nor a phone number, `422` if the address
        of a mailed code is gone or the service sends no codes to such a number, `403` after
        `confirmation_key_expires`. A code by mail lives for `account.activation_hours`, 24 hours by default, a PIN for
        `account.pin_minutes`, 10 minutes.
        """
        await self.codes.resending.resend(self.me, self.actor, channel=body.channel)


class AccountResendingEndpoint(ApiEndpoint):
    """The activation code of an account, once more."""

    path = "/api/accounts/{id}/resend"

    @endpoint(Access.ADMIN, raises=NOT_SENT, guard=Guard(limit="messages"))
    async def post(self, id: Id, body: CodeRequest) -> None:
        """Send an account a new activation code, by mail or SMS as the one before, which ends.

        The same as `POST /api/accounts/me/resend`. It also lets an account in that was deactivated before it was ever
        active.
        """
        account = await self.accounts.directory.for_admin(id, self.space)
        await self.codes.resending.resend(account, self.actor, channel=body.channel)
