"""Account recovery by phone, e-mail and recovery key."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint, is_dangerous_enabled
from flexiapi.api.segments import Id, PhoneNumber, RecoverKey, Sip, required_address, required_phone
from flexiapi.api.views.accounts import WrittenAccount
from flexiapi.api.views.recovery import PhoneInfo, RecoveredAccount
from flexiapi.errors import ActivationExpired, DeliveryFailed, RecordNotFound, TooManyRequests, ValidationFailed
from flexiapi.services.fields import CodeChannel, CreationToken, KnownPhone
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Switch
from flexiapi.web.parameters import Params


class PhoneRecovery(Params):
    """The phone number that a recovery code is sent to, and the token that allows it."""

    phone: Annotated[KnownPhone, Field(description="the phone number to send the SMS to")]
    account_creation_token: CreationToken
    channel: CodeChannel = "sms"


class AccountInfoByPhoneEndpoint(ApiEndpoint):
    """The public information about a phone number."""

    path = "/api/accounts/{phone}/info-by-phone"

    @endpoint(Access.PUBLIC, raises=(RecordNotFound, ValidationFailed), switch=Switch(is_dangerous_enabled))
    async def get(self, phone: PhoneNumber) -> PhoneInfo:
        """Retrieve public information about the account.

        `phone` is `true` if the number is the account's phone number, `false` if it is its username.
        Only a number that was proven counts.
        Return `404` if the account doesn't exist, `422` if the parameter is not a phone number.
        """
        account, is_alias = await self.codes.recovery.by_phone(required_phone(phone), self.space)
        return PhoneInfo(activated=account.activated, realm=self.space.realm, phone=is_alias)


class RecoveryByPhoneEndpoint(ApiEndpoint):
    """Recovery codes by SMS."""

    path = "/api/accounts/recover-by-phone"

    @endpoint(
        Access.PUBLIC,
        raises=(RecordNotFound, DeliveryFailed, TooManyRequests),
        switch=Switch(is_dangerous_enabled),
        checks=lambda exchange, values: exchange.codes.recovery.faults(values, exchange.space),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: PhoneRecovery) -> None:
        """Send a SMS with a recovery PIN code to the phone number provided.

        Only a number that was proven counts. Return `404` if the account doesn't exist; this uses up the
        `account_creation_token` as well. Return `429` if an SMS was sent to the number a short time ago, `503` if the
        SMS was not accepted, `422` if the service sends no codes to such numbers; the token then stays usable.
        """
        await self.codes.recovery.send_pin(body.phone, body.account_creation_token, self.actor, channel=body.channel)


class RecoveryByKeyEndpoint(ApiEndpoint):
    """The account that a recovery key belongs to."""

    path = "/api/accounts/{sip}/recover/{recover_key}"

    @endpoint(
        Access.PUBLIC,
        raises=(RecordNotFound, ActivationExpired, TooManyRequests, ValidationFailed),
        switch=Switch(is_dangerous_enabled),
        secret=True,
        effects=True,
        guard=Guard(guess=True),
    )
    async def get(self, sip: Sip, recover_key: RecoverKey) -> RecoveredAccount:
        """Activate the account if the correct `recover_key` is provided.

        The `sip` parameter can be the default SIP account or the phone based one. Return the account information,
        including the hashed passwords, if valid. Return `404` if the account doesn't exist or the key is wrong, and
        `429` after three wrong PINs from the network that asked for it, or from all other networks together. A PIN
        lives for `account.pin_minutes`, 10 minutes by default, a mailed key for `account.activation_hours`, 24 hours.

        The account is signed out everywhere: its API key, DIGEST nonces, provisioning token and other codes end. The
        password stays, except the first one of an account that is named by its phone number: it gets a random one,
        whose hashes are returned. Return `422` if another account proved the address first.
        """
        account = await self.codes.recovery.recover(*required_address(sip), recover_key, self.actor)
        return RecoveredAccount.of(account, await self.view_data(account))


class RecoveryByEmailEndpoint(ApiEndpoint):
    """Recovery mails that an administrator sends."""

    path = "/api/accounts/{id}/recover-by-email"

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, ValidationFailed, DeliveryFailed, TooManyRequests),
        secret=True,
        guard=Guard(limit="messages"),
    )
    async def post(self, id: Id) -> WrittenAccount:
        """Send the account recovery email containing a fresh `provisioning_token` and `confirmation_key`.

        Both work once, for `account.activation_hours`, 24 hours by default.

        Return `422` if the account has no e-mail address, or is named by a phone number that it has not proven, `503`
        if the mail was not accepted; nothing is changed then.
        """
        account = await self.codes.recovery.send_mail(
            await self.accounts.directory.for_admin(id, self.space), self.actor
        )
        return WrittenAccount.of(account, await self.view_data(account))
