"""API keys and auth tokens. An auth token carries a sign-in from one device to another."""

from typing import Annotated

from pydantic_core import to_json

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import AuthToken
from flexiapi.api.views.tokens import ApiKeyView, AuthTokenView
from flexiapi.errors import RecordNotFound
from flexiapi.web.endpoint import endpoint
from flexiapi.web.identity import COOKIE
from flexiapi.web.operation import Access, Guard
from flexiapi.web.replies import Cookie, Json, PlainText

_SECONDS_PER_DAY = 86_400


class AuthTokensEndpoint(ApiEndpoint):
    """The auth token collection."""

    path = "/api/accounts/auth_token"

    @endpoint(Access.PUBLIC, status=201, secret=True, guard=Guard(limit="anonymous_tokens"))
    async def post(self) -> AuthTokenView:
        """Generate an `auth_token`.

        To attach the generated token to an account see the `auth_token` attachment endpoint. The token expires after
        five minutes.
        """
        token = await self.sign_in.api_keys.new_auth_token(self.actor)
        return AuthTokenView.of(token)


class AuthTokenAttachmentEndpoint(ApiEndpoint):
    """The attachment of an auth token to the account of the current user."""

    path = "/api/accounts/auth_token/{auth_token}/attach"

    @endpoint(Access.USER, raises=(RecordNotFound,), secret=True, effects=True, guard=Guard(guess=True))
    async def get(self, auth_token: AuthToken) -> None:
        """Attach a publicly generated authentication token to the currently authenticated account.

        Return `404` if the token is non existing or invalid.
        """
        await self.sign_in.api_keys.attach(auth_token, self.me, self.actor)


class ApiKeyByAuthTokenEndpoint(ApiEndpoint):
    """The API key that an attached auth token gives."""

    path = "/api/accounts/me/api_key/{auth_token}"

    @endpoint(
        Access.PUBLIC,
        raises=(RecordNotFound,),
        secret=True,
        effects=True,
        guard=Guard(guess=True),
    )
    async def get(self, auth_token: AuthToken) -> Annotated[Json, ApiKeyView]:
        """Generate and retrieve a fresh API Key from an `auth_token`.

        The `auth_token` must be attached to an existing account, see the attachment endpoint to do so.
        Return `404` if the token is invalid or not attached. This endpoint is also setting the API Key as a Cookie.
        """
        key = await self.sign_in.api_keys.redeem(auth_token, self.actor)
        return Json(to_json(ApiKeyView(api_key=key)), cookies=[_cookie(self, key)])


class MyApiKeyEndpoint(ApiEndpoint):
    """The API key of the current user."""

    path = "/api/accounts/me/api_key"

    @endpoint(
        Access.USER,
        raises=(RecordNotFound,),
        secret=True,
        effects=True,
        example="kI9nXQ0m7VbYc2E5tRw8sL1uOa4dGf6hJzPq3xTy",
    )
    async def get(self) -> PlainText:
        """Generate and retrieve a fresh API Key. This endpoint is also setting the API Key as a Cookie.

        The previous key stops working, even if it authenticated this request.
        """
        key = await self.sign_in.api_keys.make(self.me, self.actor)
        return PlainText(key.encode(), cookies=[_cookie(self, key)])

    @endpoint(Access.USER)
    async def delete(self) -> Json:
        """End the API key, even if it authenticated this request, and remove the cookie."""
        await self.sign_in.api_keys.end(self.me, self.actor)
        return Json(b"{}", cookies=[Cookie(COOKIE, "", 0)])


def _cookie(handler: ApiEndpoint, key: str) -> Cookie:
    app = handler.settings.app
    seconds = app.api_key_expiration_minutes * 60
    return Cookie(COOKIE, key, min(seconds, app.api_key_max_days * _SECONDS_PER_DAY or seconds))
