"""HTTP exchanges: a request, and the state of its processing."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from flexiapi.web.identity import Claim
from flexiapi.web.parameters import Validated
from flexiapi.web.peers import Peers
from flexiapi.web.request import HttpRequest
from flexiapi.web.throttle import Throttle

# Form of request ids that are accepted from front servers: with a space they could forge fields of the log.
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class Identity(Protocol):
    """A proven identity, as far as HTTP needs it."""

    @property
    def label(self) -> str:
        """Name in the log; never a secret."""

    @property
    def is_active_admin(self) -> bool:
        """True if Admin operations are allowed."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Headers of answers to this identity."""


class ServerContext(Protocol):
    """The application around the HTTP layer."""

    peers: Peers
    throttle: Throttle
    maintenance: bool
    max_body_bytes: int
    public_url: str
    cors_origins: Sequence[str]
    validation_context: object

    def entered(self) -> None:
        """Note that a request is under way."""

    def left(self) -> None:
        """Note that a request is answered."""

    async def sign_in(self, claim: Claim, address: str) -> Identity:
        """Return the identity that a claim proves. Raises `ApiError`."""

    async def limit(self, name: str, address: str) -> None:
        """Count against a limit per IP address. Raises `TooManyRequests`."""

    def refuse_guesser(self, address: str) -> None:
        """Raise `TooManyRequests` for an address with too many wrong guesses."""

    async def count_wrong_guess(self, address: str) -> None:
        """Count a wrong guess at a secret."""

    def originator(self, exchange: "Exchange") -> object:
        """Return the value that stands for the request in its changes."""

    async def settle(self, originator: object) -> None:
        """Wait until the effects of a request's changes are complete. Raises `Unavailable`."""

    def observe(self, exchange: "Exchange", status: int, seconds: float) -> None:
        """Log and count an answered request."""


class Exchange:
    """A request in the pipeline. An endpoint is a subclass with a path and operations."""

    path: ClassVar[str] = ""
    is_throttled: ClassVar[bool] = False

    identity: Identity | None = None
    claim: Claim | None = None
    validated: Validated
    _originator: object = None

    def __init__(self, context: ServerContext, request: HttpRequest, path_values: Mapping[str, str]) -> None:
        self.context = context
        self.request = request
        self.path_values = path_values
        self.arguments: dict[str, Any] = {}
        self.headers: list[tuple[str, str]] = []
        self.client = context.peers.address(request)
        self.request_id = self._given_id() or secrets.token_hex(8)

    def _given_id(self) -> str | None:
        headers = self.request.headers
        if "X-Request-Id" not in headers or not self.context.peers.is_trusted(self.request):
            return None
        given = headers["X-Request-Id"]
        return given if _REQUEST_ID.fullmatch(given) else None

    @property
    def originator(self) -> object:
        """The value that stands for the request in its changes, made once."""
        if self._originator is None:
            self._originator = self.context.originator(self)
        return self._originator

    async def settle(self) -> None:
        """Wait until the effects of the changes, if there were any, are complete. Raises `Unavailable`."""
        if self._originator is not None:
            await self.context.settle(self._originator)

    @property
    def query(self) -> str:
        """The query part of the target."""
        return self.request.target.partition("?")[2]

    def exists(self) -> bool:
        """Return whether the path exists."""
        return True
