"""Account creation tokens, and the request tokens that lead to them."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.views.tokens import CreationTokenView, RequestTokenView
from flexiapi.errors import CreationTokenRefused, DeliveryFailed, RecordNotFound
from flexiapi.model import PushAddress
from flexiapi.services.fields import PushId, PushParameter, PushProvider, RequestToken
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.parameters import Params


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
        token = await self.codes.creation_tokens.request(self.actor)
        return RequestTokenView(token=token, validation_url=f"{self.public_url}/creation_token/check/{token}")


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
        token = await self.codes.creation_tokens.exchange(body.account_creation_request_token, self.actor)
        return CreationTokenView(token=token)


class CreationTokensEndpoint(ApiEndpoint):
    """Creation tokens from administrators."""

    path = "/api/account_creation_tokens"

    @endpoint(Access.ADMIN, status=201, secret=True)
    async def post(self) -> CreationTokenView:
        """Create and return an `account_creation_token`."""
        return CreationTokenView(token=await self.codes.creation_tokens.make(self.actor))
