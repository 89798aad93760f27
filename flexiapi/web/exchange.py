"""HTTP exchanges: a request, the state of its processing, and the answer if it fails."""

import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from pydantic_core import to_json

from flexiapi.errors import ApiError
from flexiapi.web.identity import Claim, claim
from flexiapi.web.operation import Operation, Predicate, Upload
from flexiapi.web.parameters import Validated
from flexiapi.web.peers import Network, Peers
from flexiapi.web.replies import Answer, HttpReply, Json
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
    def is_limited(self) -> bool:
        """True if it may only confirm its account."""

    @property
    def scopes(self) -> frozenset[Any] | None:
        """The scopes of a named API key, which opens what is declared with one of them; `None` for an account."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Headers of answers to this identity."""


class HostSpace(Protocol):
    """The service that requests to one host name are for, as far as HTTP needs it."""

    @property
    def url(self) -> str:
        """Public root of every URL that is handed out."""


class ServerContext(Protocol):
    """The part of the application that the HTTP layer uses."""

    peers: Peers
    throttle: Throttle
    exempt_networks: Sequence[Network]
    max_body_bytes: int
    public_url: str
    cors_origins: Sequence[str]

    def entered(self, *, is_transfer: bool) -> None:
        """Note that a request is under way."""

    def left(self, *, is_transfer: bool) -> None:
        """Note that a request is answered."""

    def is_overloaded(self, *, is_transfer: bool) -> bool:
        """Return whether more transfers, or other requests, are under way than can be answered in time."""

    def refusal(self) -> ApiError | None:
        """Return the failure that every request gets while none is to be answered, else `None`."""

    def space_of(self, request: HttpRequest) -> HostSpace:
        """Return the service that the host name of a request stands for. Raises `ApiError` while it cannot serve."""

    def validation_context(self, space: HostSpace) -> object:
        """Return the context in which the parameters of a request to a service are validated."""

    async def sign_in(self, claim: Claim, address: str, space: HostSpace) -> Identity:
        """Return the identity that a claim proves in a service. Raises `ApiError`."""

    async def limit(self, name: str, address: str) -> None:
        """Count against a limit per IP address. Raises `TooManyRequests`."""

    def refuse_guesser(self, address: str) -> None:
        """Raise `TooManyRequests` for an address with too many wrong guesses."""

    async def count_wrong_guess(self, address: str) -> None:
        """Count a wrong guess at a secret."""

    def originator(self, exchange: "Exchange") -> object:
        """Return the value that stands for the request in its changes."""

    async def check_settling(self) -> None:
        """Raise `Unavailable` while the effects of a change could not be completed."""

    async def settle(self, originator: object) -> None:
        """Wait until the effects of a request's changes are complete. Raises `Unavailable`."""

    def observe(self, exchange: "Exchange", status: int, seconds: float) -> None:
        """Log and count an answered request."""


# A step raises a failure to end the request. A step that waits returns an awaitable.
Step = Callable[[Operation, "Exchange"], Awaitable[None] | None]
Call = Callable[[Operation, "Exchange"], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that apply to requests with one method. Without `call` they end before the parameters."""

    operation: Operation
    steps: tuple[Step, ...]
    call: Call | None


class Exchange:
    """A request in the pipeline. An endpoint is a subclass with a path and operations.

    Attributes:
        is_throttled: requests count against the general limit per IP address.
        is_never_throttled: not even those that anybody may make.
        is_shed: requests are refused while too many are under way; no health checks, and no vCards.
        statuses_without_body: the statuses of failures that are answered without a body.
        is_transfer: it takes or sends files, as fast as the client does; counted apart from other requests.
        uploads: the files that bodies bring, by HTTP method.
        body_share: how many times the general limit a body may have; 3 for uploads, imports and vCards.
    """

    path: ClassVar[str] = ""
    plans: ClassVar[Mapping[str, Plan]] = {}
    methods: ClassVar[Sequence[str]] = ()
    path_switches: ClassVar[Sequence[Predicate]] = ()
    is_throttled: ClassVar[bool] = False
    is_never_throttled: ClassVar[bool] = False
    is_health_check: ClassVar[bool] = False
    is_shed: ClassVar[bool] = True
    statuses_without_body: ClassVar[Collection[int]] = ()
    is_transfer: ClassVar[bool] = False
    uploads: ClassVar[Mapping[str, Upload]] = {}
    body_share: ClassVar[int] = 1

    host_space: HostSpace | None = None
    identity: Identity | None = None
    claim: Claim | None = None
    validated: Validated
    failure: ApiError | None = None
    _originator: object = None

    def __init__(self, context: ServerContext, request: HttpRequest, path_values: Mapping[str, str]) -> None:
        self.context = context
        self.request = request
        self.path_values = path_values
        self.arguments: dict[str, Any] = {}
        self.headers: list[tuple[str, str]] = []
        self.client, request_id = request.peer, ""
        if context.peers.trusted:
            self.client, request_id = context.peers.address(request), self._given_id()
        self.request_id = request_id or secrets.token_hex(8)

    def _given_id(self) -> str:
        """Return the request id that a front server gave, or an empty string."""
        given = self.request.headers.get("X-Request-Id", "")
        return given if _REQUEST_ID.fullmatch(given) and self.context.peers.is_trusted(self.request) else ""

    @property
    def public_url(self) -> str:
        """Public root of the service that the request is for."""
        return self.context.public_url if self.host_space is None else self.host_space.url

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
        """Return whether no operation that hides the path while it is off is switched off."""
        for is_on in self.path_switches:  # noqa: SIM110  # called for every request, and faster than `all`
            if not is_on(self):
                return False
        return True

    def claimed(self) -> Claim:
        """Return the identity that the request claims. Raises `ApiError`."""
        return claim(self.request)

    def check_form(self) -> None:
        """Check that the form of the request came from a page of ours. Raises `Forbidden`."""

    async def check_fresh(self, within: timedelta) -> None:
        """Check that the owner of a session proved who it is in this time. Raises `Forbidden`."""

    async def explained(self, error: ApiError, operation: Operation) -> Answer:
        """Return the answer for a failure of an operation."""
        return self.failed(error, is_secret=operation.secret)

    def failed(self, error: ApiError, *, is_secret: bool = False) -> Answer:
        """Return the answer for a failure."""
        # The traceback refers to this exchange; a cycle would be left for the garbage collector.
        self.failure = error.with_traceback(None)
        own = error.headers()
        names = {name for name, _ in own}
        headers = [*(header for header in self.headers if header[0] not in names), *own]
        return Answer(error.status, self.rendered(error, error.status), headers, is_secret)

    def unexpected(self, status: int, text: str) -> Answer:
        """Return the answer for a failure that is not an `ApiError`, without details."""
        error = ApiError(text)
        try:
            reply = self.rendered(error, status)
        except Exception:  # noqa: BLE001  # the template of the page may be what failed
            reply = Exchange.rendered(self, error, status)
        return Answer(status, reply)

    def rendered(self, error: ApiError, status: int) -> HttpReply:
        """Return a failure in the format of this kind of endpoint, here JSON."""
        return Json(b"" if status in self.statuses_without_body else to_json(error.body()))
