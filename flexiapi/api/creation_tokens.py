"""Account creation tokens, the request tokens that lead to them, and recovery tokens by push."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.views.tokens import ConsumedTokenView, CreationTokenView, RequestTokenView
from flexiapi.errors import CreationTokenRefused, DeliveryFailed, RecordNotFound, RecoveryTokenTooSoon
from flexiapi.model import PushAddress
from flexiapi.services.fields import CreationToken, PushId, PushParameter, PushProvider, RequestToken
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Switch
from flexiapi.web.parameters import Params


def _has_recovery_page(exchange: ApiEndpoint) -> bool:
    return exchange.settings.panel.enabled and exchange.settings.panel.phone


class PushTarget(Params):
    """The RFC 8599 push parameters of a device."""

    pn_provider: Annotated[
        PushProvider,
        Field(
            description="the push notification provider: apns, apns.dev, fcm, unifiedpush, ntfy, "
            "or another that an installed backend serves",
            examples=["fcm"],
        ),
    ]
    pn_param: Annotated[PushParameter, Field(description="the push notification parameter", examples=["929724111839"])]
    pn_prid: Annotated[
        PushId,
        Field(description="the push notification unique id, at most 1,000 characters", examples=["dA1b:APA91b_x-y"]),
    ]


class ValidatedRequest(Params):
    """A validated request token."""

    account_creation_request_token: RequestToken


class CreationRequestTokensEndpoint(ApiEndpoint):
    """The collection of request tokens."""

    path = "/api/account_creation_request_tokens"

    @endpoint(Access.PUBLIC, status=201, secret=True, guard=Guard(limit="anonymous_tokens"))
    async def post(self) -> RequestTokenView:
        """Create and return an `account_creation_request_token` that should then be validated to be used."""
        tokens, url = self.codes.creation_tokens, f"{self.public_url}/creation_token/check/"
        ends_at, token = tokens.end_of_new_request(), await tokens.request(self.actor)
        return RequestTokenView(token=token, validation_url=f"{url}{token}", expire_at=ends_at)


class CreationTokenByPushEndpoint(ApiEndpoint):
    """Creation tokens that are sent to a device."""

    path = "/api/account_creation_tokens/send-by-push"

    @endpoint(
        Access.PUBLIC,
        raises=(CreationTokenRefused, DeliveryFailed),
        guard=Guard(limit="messages"),
        checks=lambda exchange, values: exchange.codes.creation_tokens.push_faults(values),
    )
    async def post(self, body: PushTarget) -> None:
        """Create and send an `account_creation_token` using a push notification to the device.

        Return `403` if a token was already sent, or if the tokens limit is reached for this device.
        Return `503` if the token was not successfully sent.
        """
        await self.codes.creation_tokens.send_by_push(
            PushAddress(body.pn_provider, body.pn_param, body.pn_prid), self.actor
        )


class CreationTokenByRequestEndpoint(ApiEndpoint):
    """Creation tokens in exchange for validated request tokens."""

    path = "/api/account_creation_tokens/using-account-creation-request-token"

    @endpoint(Access.PUBLIC, status=201, raises=(RecordNotFound,), secret=True, guard=Guard(guess=True))
    async def post(self, body: ValidatedRequest) -> CreationTokenView:
        """Create an `account_creation_token` using an `account_creation_request_token`.

        Return `404` if the `account_creation_request_token` provided is not valid or expired otherwise.
        """
        tokens = self.codes.creation_tokens
        ends_at = tokens.end_of_new()
        token = await tokens.exchange(body.account_creation_request_token, self.actor)
        return CreationTokenView(token=token, expire_at=ends_at)


class CreationTokensEndpoint(ApiEndpoint):
    """Creation tokens from administrators."""

    path = "/api/account_creation_tokens"

    @endpoint(Access.ADMIN, status=201, secret=True)
    async def post(self) -> CreationTokenView:
        """Create and return an `account_creation_token`."""
        tokens = self.codes.creation_tokens
        ends_at, token = tokens.end_of_new(), await tokens.make(self.actor)
        return CreationTokenView(token=token, expire_at=ends_at)


class TokenToConsume(Params):
    """A creation token that is to be consumed without a new account."""

    account_creation_token: CreationToken


class CreationTokenConsumptionEndpoint(ApiEndpoint):
    """The consumption of creation tokens by accounts that there are."""

    path = "/api/account_creation_tokens/consume"

    @endpoint(Access.USER, raises=(RecordNotFound,), secret=True, guard=Guard(guess=True))
    async def post(self, body: TokenToConsume) -> ConsumedTokenView:
        """Consume an `account_creation_token` for the current account: an app proves its device to an account.

        Return `404` if the token is unknown, used or expired.
        """
        token = body.account_creation_token
        spent = await self.codes.creation_tokens.spend(token, self.me, self.actor)
        device = spent.address
        return ConsumedTokenView(
            token=token,
            pn_provider=None if device is None else device.provider,
            pn_param=None if device is None else device.param,
            pn_prid=None if device is None else device.prid,
            used=True,
            account_id=self.me.id,
            ip=self.actor.address,
            user_agent=self.actor.user_agent,
            expire_at=spent.expires_at,
        )


class RecoveryTokenByPushEndpoint(ApiEndpoint):
    """Recovery tokens that are sent to a device."""

    path = "/api/account_recovery_tokens/send-by-push"

    @endpoint(
        Access.PUBLIC,
        raises=(RecoveryTokenTooSoon, DeliveryFailed),
        guard=Guard(limit="messages"),
        checks=lambda exchange, values: exchange.codes.creation_tokens.push_faults(values),
        switch=Switch(_has_recovery_page),
    )
    async def post(self, body: PushTarget) -> None:
        """Create and send an `account_recovery_token` using a push notification to the device.

        With it the app opens the page `/recovery/phone/{token}?phone=+33...`, where it takes the place of the human
        check, once. Return `429` if a token was sent to this device a short time ago, and `503` if the token was not
        successfully sent.
        """
        await self.codes.recovery_tokens.send_by_push(
            PushAddress(body.pn_provider, body.pn_param, body.pn_prid), self.actor
        )
