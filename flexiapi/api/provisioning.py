"""Remote provisioning of phones, as XML. Its paths are not under `/api`."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import Field, WithJsonSchema

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import AuthToken, Token
from flexiapi.errors import ProvisioningFailed, RecordNotFound, TooManyRequests
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.parameters import Params
from flexiapi.web.replies import Png, Xml

_BASE = """<?xml version="1.0" encoding="UTF-8"?>
<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
  <section name="misc">
    <entry name="contacts-vcard-list">https://example.org/contacts/vcard</entry>
  </section>
</config>
"""
_WITH_ACCOUNT = """<?xml version="1.0" encoding="UTF-8"?>
<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
  <section name="proxy_0">
    <entry name="reg_identity">&lt;sip:alice.martin@sip.example.org&gt;</entry>
    <entry name="reg_sendregister">1</entry>
    <entry name="refkey">push_notification</entry>
  </section>
  <section name="auth_info_0">
    <entry name="username">alice.martin</entry>
    <entry name="ha1">e1b0ba7fd2fb0a8e8fb4f5a6dbd0b8a6</entry>
    <entry name="realm">sip.example.org</entry>
    <entry name="algorithm">MD5</entry>
  </section>
</config>
"""


class PasswordReset(Params):
    """A request to reset the password. The parameter counts with any value, also an empty one."""

    reset_password: Annotated[
        Any,
        WithJsonSchema({"type": "string"}),
        Field(description="reset the password while doing the provisioning; any value", examples=["1"]),
    ] = None


class ProvisioningHandler(ApiEndpoint):
    """The base class of the provisioning endpoints."""

    @property
    def device_query(self) -> Mapping[str, str]:
        """The query parameters, including those without a value."""
        query = self.query
        return dict(parse_qsl(query, keep_blank_values=True)) if query else {}

    @property
    def device_headers(self) -> Mapping[str, str]:
        """The headers of the request, with names in lower case."""
        return {name.lower(): value for name, value in self.request.headers.items()}


def _presents_no_token(exchange: ApiEndpoint) -> bool:
    """Return whether the token is not looked at, because the request lacks the header that must come with it."""
    return exchange.settings.account.provisioning_header_required and (
        "X-Linphone-Provisioning" not in exchange.request.headers
    )


class BaseProvisioningEndpoint(ProvisioningHandler):
    """The provisioning document without an account."""

    path = "/provisioning"

    @endpoint(Access.PUBLIC, raises=(ProvisioningFailed,), secret=True, example=_BASE)
    async def get(self) -> Xml:
        """Return the provisioning information available in the liblinphone configuration file."""
        return Xml(self.phones.provisioning.base(self.device_query, self.device_headers, self.space))


class TokenProvisioningEndpoint(ProvisioningHandler):
    """The provisioning document for a provisioning token, which works once."""

    path = "/provisioning/{provisioning_token}"

    @endpoint(
        Access.PUBLIC,
        raises=(ProvisioningFailed, TooManyRequests),
        secret=True,
        effects=True,
        guard=Guard(guess=True, spared=_presents_no_token),
        example=_WITH_ACCOUNT,
    )
    async def get(self, provisioning_token: Token, body: PasswordReset) -> Xml:
        """Return the provisioning information, with the account of a valid `provisioning_token`.

        The account is then considered as "provisioned" and those account related information will be removed in the
        upcoming requests. If the account is not activated and the `provisioning_token` is valid, it is activated, but
        not by a token of its own if it was created by `accounts/public` and has not confirmed anything.
        """
        del body
        provisioning = self.phones.provisioning
        if _presents_no_token(self):
            return Xml(provisioning.base(self.device_query, self.device_headers, self.space))
        document, is_valid = await provisioning.by_token(
            provisioning_token, self.device_query, self.device_headers, self.actor
        )
        return Xml(document, is_wrong_guess=not is_valid)


class ProvisioningQrCodeEndpoint(ProvisioningHandler):
    """The URL of a provisioning token as a QR code."""

    path = "/provisioning/qrcode/{provisioning_token}"

    @endpoint(Access.PUBLIC, raises=(RecordNotFound,), secret=True, guard=Guard(guess=True))
    async def get(self, provisioning_token: Token, body: PasswordReset) -> Png:
        """Return a QRCode that points to the provisioning URL."""
        del body
        reset = "reset_password" in self.device_query
        image, url = await self.phones.provisioning.qr_code(provisioning_token, self.space, reset_password=reset)
        return Png(image, headers=[("X-Qrcode-URL", url)])


class MyProvisioningDocumentEndpoint(ProvisioningHandler):
    """The provisioning document of the current user."""

    path = "/provisioning/me"

    @endpoint(Access.USER, raises=(ProvisioningFailed,), secret=True, example=_WITH_ACCOUNT)
    async def get(self) -> Xml:
        """Return the same base content as the previous URL and the account related information.

        Similar to the `provisioning_token` endpoint. However this endpoint will always return those information.
        """
        return Xml(self.phones.provisioning.of(self.me, self.device_query, self.device_headers))


class AuthTokenProvisioningEndpoint(ProvisioningHandler):
    """The provisioning document for an attached auth token, which works once."""

    path = "/provisioning/auth_token/{auth_token}"

    @endpoint(
        Access.PUBLIC,
        raises=(RecordNotFound, ProvisioningFailed),
        secret=True,
        effects=True,
        guard=Guard(guess=True),
        example=_WITH_ACCOUNT,
    )
    async def get(self, auth_token: AuthToken) -> Xml:
        """Return the provisioning information of the account that the `auth_token` is attached to."""
        api_keys = self.sign_in.api_keys
        account = await api_keys.holder(auth_token, self.space)
        document = self.phones.provisioning.of(account, self.device_query, self.device_headers)
        await api_keys.use_up(auth_token, self.actor)
        return Xml(document)
