"""Messages by a SIP client of our own: one MESSAGE request (RFC 3428) to the configured proxy."""

import asyncio
import secrets
import ssl

from flexiapi.errors import ApiError, ConfigurationError, SipUnavailable, ValidationFailed
from flexiapi.flexisip.message_sender import MessageSender, encoded, recipient
from flexiapi.flexisip.sip_digest import Credentials, strongest_challenge
from flexiapi.flexisip.sip_transaction import STANDARD_TIMERS, Timers, final_response
from flexiapi.flexisip.sip_transport import Proxy, Unreached, reach
from flexiapi.flexisip.sip_wire import Response, SipRequest
from flexiapi.settings import FlexisipSettings
from flexiapi.sip_address import SipAddress

# RFC 3261 section 18.1.1: a larger request, in bytes, may need more than one packet.
_LARGEST_DATAGRAM = 1300
# A generous allowance, in bytes, for the Via value and the answer to a challenge.
_VIA_ROOM = 110
_CREDENTIALS_ROOM = 500
_ANSWERS_TO_CHALLENGES = 2
_TOO_LARGE = (413, 513)
_CREDENTIALS_REFUSED = (401, 407)
_TIMED_OUT = 408


class SipMessageSender(MessageSender):
    """Sends from one address through one proxy, each message on a connection of its own."""

    def __init__(self, section: FlexisipSettings, timers: Timers = STANDARD_TIMERS) -> None:
        try:
            self._proxy = Proxy.parse(section.proxy or "")
        except ValueError as error:
            raise ConfigurationError(f"[flexisip] proxy is {error}") from error
        try:
            self._sender = SipAddress.parse(section.sender or "")
        except ValueError as error:
            raise ConfigurationError(f"[flexisip] sender is {error}") from error
        password = section.sender_password
        self._credentials = Credentials(self._sender.user, password.get_secret_value()) if password else None
        self._context = _tls_context(section)
        self._seconds = section.message_seconds
        self._timers = timers

    async def send(self, to: str, body: str) -> str:
        """Send the message and wait until the proxy has accepted it, also for later delivery (202)."""
        request = self._request("MESSAGE", recipient(to).uri, encoded(body))
        response = await self._answer(request)
        if not response.succeeded:
            raise _refusal(response)
        return request.call_id

    async def check(self) -> None:
        """Return if the proxy answers a request for its options with any status."""
        await self._answer(self._request("OPTIONS", f"sip:{self._sender.host}"))

    async def close(self) -> None:
        """Do nothing: connections are not kept."""

    def _request(self, method: str, uri: str, body: bytes = b"") -> SipRequest:
        return SipRequest(method, uri, self._sender.uri, secrets.token_hex(12), secrets.token_hex(4), body)

    async def _answer(self, request: SipRequest) -> Response:
        """Return the final response of the first reachable address of the proxy."""
        try:
            async with asyncio.timeout(self._seconds):
                failure: OSError = ConnectionError("the proxy has no address")
                for address in await self._proxy.addresses():
                    try:
                        return await self._converse(request, address)
                    except Unreached as error:
                        failure = error
                raise failure
        except OSError as error:
            raise SipUnavailable from error

    async def _converse(self, request: SipRequest, address: tuple[str, int]) -> Response:
        """Send the request, again with credentials if it is challenged, and once more if the nonce was stale."""
        room = _CREDENTIALS_ROOM if self._credentials else 0
        large = len(request.encode(" " * _VIA_ROOM, 1)) + room > _LARGEST_DATAGRAM
        async with reach(self._proxy, address, self._context, large=large) as transport:
            response = await final_response(transport, request, 1, self._timers)
            for answered in range(_ANSWERS_TO_CHALLENGES):
                challenge = strongest_challenge(response)
                if self._credentials is None or challenge is None or (answered and not challenge.stale):
                    break
                header = self._credentials.answer(challenge, request.method, request.uri)
                response = await final_response(transport, request.having(header), 2 + answered, self._timers)
        return response


def _refusal(response: Response) -> ApiError:
    """Return the proxy's reason if it concerns the message, else that SIP is not available."""
    status = response.status
    if status in _CREDENTIALS_REFUSED:
        return SipUnavailable("The SIP server does not accept the credentials of the configured sender.")
    if status in _TOO_LARGE:
        return ValidationFailed({"body": ["The SIP server finds the message too large."]})
    if status == _TIMED_OUT or response.failed_at_server:
        return SipUnavailable()
    return ValidationFailed({"to": [f"The SIP server answered: {status} {response.reason[:100]}".strip() + "."]})


def _tls_context(section: FlexisipSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=section.tls_ca_file)
    except OSError as error:
        raise ConfigurationError("[flexisip] tls_ca_file holds no certificates that can be read") from error
