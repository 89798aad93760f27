"""The base of every endpoint: the order of processing, and how an answer is written."""

import contextlib
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import responses
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from pydantic_core import to_json
from tornado.web import HTTPError, RequestHandler

from flexiapi.errors import (
    AdminRequired,
    ApiError,
    BodyTooLarge,
    CrossSiteRequest,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    RouteNotFound,
    TooManyRequests,
    Unavailable,
)
from flexiapi.limit_key import counted_as
from flexiapi.observing import log, request_id
from flexiapi.web import identity
from flexiapi.web.operation import Access, Operation, PathParameter, operation_of
from flexiapi.web.parameters import Validated, read
from flexiapi.web.peers import Peers
from flexiapi.web.replies import Cookie, HttpReply
from flexiapi.web.throttle import Throttle

_VERBS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"
_EMPTY_OBJECT = b"{}"
# What stands in a line of the log as it is: a space would let it forge further fields.
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class Identity(Protocol):
    """Who is signed in, as far as HTTP must know."""

    @property
    def label(self) -> str:
        """For the log: never a secret."""

    @property
    def is_active_admin(self) -> bool:
        """Whether Admin endpoints may be used."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """Headers that the answer to a signed-in request carries."""


class ServerContext(Protocol):
    """What the HTTP layer asks of the application around it."""

    peers: Peers
    throttle: Throttle
    maintenance: bool
    max_body_bytes: int
    public_url: str
    cors_origins: Sequence[str]
    validation_context: object

    def entered(self) -> None:
        """A request is under way."""

    def left(self) -> None:
        """A request is answered."""

    async def sign_in(self, claim: identity.Claim, address: str) -> Identity:
        """Who the claim proves to be. Raises `ApiError`."""

    async def limit(self, name: str, address: str) -> None:
        """Count against a limit per IP address. Raises `TooManyRequests`."""

    def refuse_guesser(self, address: str) -> None:
        """Raise `TooManyRequests` for an address that has guessed wrong too often."""

    async def count_wrong_guess(self, address: str) -> None:
        """Count a wrong guess at a secret."""

    def originator(self, handler: "ApiHandler") -> object:
        """Return what stands for the request where it changes something."""

    async def settle(self, originator: object) -> None:
        """Wait until all that must follow from the changes of a request has. Raises `Unavailable`."""

    def observe(self, handler: "ApiHandler", seconds: float) -> None:
        """Log and count a finished request."""


class PrefetchRefused(Forbidden):
    """A browser or scanner only looks ahead, and this address must not be looked at twice."""

    message = "This address must not be prefetched."


class Maintenance(Unavailable):
    """The operator has closed the API for a while."""

    message = "The service is under maintenance. Try again later."
    retry_after = 120


class ApiHandler(RequestHandler):
    """An endpoint's path and verbs. Subclasses declare `path` and verbs with `@endpoint`, and nothing else."""

    path: ClassVar[str] = ""
    operations: ClassVar[Mapping[str, Operation]] = {}

    host: ServerContext
    identity: Identity | None = None
    failure: ApiError | None = None
    client: str = ""
    request_id: str = ""
    _counted: tuple[int, int] | None = None
    _originator: object = None
    _path_switches: ClassVar[Sequence[Callable[[Any], bool] | None]] = ()

    def __init_subclass__(cls) -> None:
        """Collect the declared verbs, and answer HEAD for every GET."""
        super().__init_subclass__()
        verbs = {verb: operation_of(getattr(cls, verb)) for verb in _VERBS}
        cls.operations = {verb: operation for verb, operation in verbs.items() if operation is not None}
        cls._path_switches = [one.switch for one in cls.operations.values() if one.off is RouteNotFound]
        if "get" in cls.operations:
            cls.head = cls._head

    @classmethod
    def path_parameters(cls) -> Mapping[str, PathParameter]:
        """The parameters of the path, as the verbs' signatures declare them."""
        return {name: parameter for operation in cls.operations.values() for name, parameter in operation.path.items()}

    @classmethod
    def allowed(cls) -> list[str]:
        """The methods that the path has."""
        verbs = [verb.upper() for verb in cls.operations]
        return [*verbs, *(["HEAD"] if "GET" in verbs else []), "OPTIONS"]

    def initialize(self, host: ServerContext) -> None:
        """Keep the application, and give the request its id."""
        self.host = host
        host.entered()
        self.client = host.peers.address(self.request)
        given = self.request.headers.get("X-Request-Id", "")
        is_believed = _REQUEST_ID.fullmatch(given) is not None and host.peers.is_trusted(self.request)
        self.request_id = given if is_believed else secrets.token_hex(8)
        request_id.set(self.request_id)
        self._set_headers_of_request()

    @property
    def originator(self) -> object:
        """What stands for the request where it changes something, made once."""
        if self._originator is None:
            self._originator = self.host.originator(self)
        return self._originator

    def set_default_headers(self) -> None:
        """What every answer says to browsers."""
        headers = self._headers
        headers["Server"] = "flexiapi"
        headers["Content-Type"] = _JSON
        headers["Cache-Control"] = "no-cache, private"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        if self.request_id:
            self._set_headers_of_request()

    def _set_headers_of_request(self) -> None:
        """What belongs to this request and host, in failures too: Tornado drops all other headers for those."""
        self._headers["X-Request-Id"] = self.request_id
        origin = self.request.headers.get("Origin")
        if origin is not None and origin in self.host.cors_origins:
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Vary", "Origin")
        if self.host.public_url.startswith("https:"):
            self.set_header("Strict-Transport-Security", "max-age=31536000")

    def compute_etag(self) -> None:
        """No answer is worth a digest: they are private and small."""

    def prepare(self) -> None:
        """Answer at once what is refused whatever the method."""
        refusal = self._refusal()
        if refusal is not None:
            self.fail(refusal)

    def _refusal(self) -> ApiError | None:
        """What comes before the method, sign-in and all else."""
        if self.host.maintenance:
            return Maintenance()
        if "X-Body-Too-Large" in self.request.headers:
            return BodyTooLarge()
        if any(is_on is not None and not is_on(self) for is_on in self._path_switches):
            return RouteNotFound()
        return None

    async def answer(self, operation: Operation, path: Mapping[str, str]) -> None:
        """Go through the order of processing, then call the endpoint and write what it returns."""
        try:
            self._count()
            if operation.is_unsafe or operation.guess:
                result = await self._settled(operation, path)
            else:
                result = await self._respond(operation, path)
        except ApiError as error:
            self.fail(error, secret=operation.secret)
            return
        self._write_result(operation, result)

    async def _settled(self, operation: Operation, path: Mapping[str, str]) -> Any:
        if not operation.is_unsafe:
            return await self._guarded(operation, path)
        try:
            result = await self._guarded(operation, path)
        except BaseException:
            with contextlib.suppress(Unavailable):
                await self._settle()
            raise
        await self._settle()
        return result

    async def _settle(self) -> None:
        if self._originator is not None:
            await self.host.settle(self._originator)

    async def _guarded(self, operation: Operation, path: Mapping[str, str]) -> Any:
        if not operation.guess:
            return await self._respond(operation, path)
        self.host.refuse_guesser(self.client)
        try:
            return await self._respond(operation, path)
        except (NotFound, Forbidden):
            await self.host.count_wrong_guess(self.client)
            raise

    async def _respond(self, operation: Operation, path: Mapping[str, str]) -> Any:
        arguments = _arguments(operation, path)
        if operation.switch is not None and not operation.switch(self):
            raise operation.off
        if operation.access is not Access.PUBLIC:
            await self._sign_in(operation)
        if (operation.is_unsafe and "Sec-Purpose" in self.request.headers) or "Purpose" in self.request.headers:
            self._refuse_prefetch(operation)
        if operation.limit is not None:
            await self.host.limit(operation.limit, self.client)
        if operation.before is not None:
            await operation.before(self, **arguments)
        if operation.params is not None:
            arguments[operation.params_name] = await self._parameters(operation)
        return await operation.call(self, **arguments)

    def _count(self) -> None:
        throttle = self.host.throttle
        if throttle.limit and self.path.startswith("/api"):
            self._counted = left, seconds = throttle.count(counted_as(self.client))
            self.set_header("X-RateLimit-Limit", str(throttle.limit))
            self.set_header("X-RateLimit-Remaining", str(max(left, 0)))
            if left < 0:
                self.set_header("X-RateLimit-Reset", str(int(time.time()) + seconds))
                raise TooManyRequests(seconds)

    async def _sign_in(self, operation: Operation) -> None:
        claim = identity.claim(self.request)
        if operation.is_unsafe and isinstance(claim, identity.ApiKey) and claim.from_cookie:
            self._refuse_other_sites()
        self.identity = await self.host.sign_in(claim, self.client)
        for name, value in self.identity.headers:
            self.add_header(name, _as_utf8(value))
        if operation.access is Access.ADMIN and not self.identity.is_active_admin:
            raise AdminRequired

    def _refuse_other_sites(self) -> None:
        """The cookie travels by itself, so a request with effects must come from our own pages or from no page."""
        headers = self.request.headers
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise CrossSiteRequest
        origin = headers.get("Origin")
        if origin is not None and origin != _origin(self.host.public_url) and origin not in self.host.cors_origins:
            raise CrossSiteRequest

    def _refuse_prefetch(self, operation: Operation) -> None:
        headers = self.request.headers
        purposes = f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')}".lower()
        if operation.is_unsafe and ("prefetch" in purposes or "prerender" in purposes):
            raise PrefetchRefused

    async def _parameters(self, operation: Operation) -> Any:
        request = self.request
        assert operation.params is not None
        raw, errors = read(operation.params, request.body, request.headers.get("Content-Type", ""), request.query)
        validated = Validated(operation.params, raw, self.host.validation_context, errors)
        if operation.check is not None:
            for field, texts in (await operation.check(self, validated.values)).items():
                validated.errors.setdefault(field, []).extend(texts)
        return validated.result()

    def _write_result(self, operation: Operation, result: Any) -> None:
        self.set_status(
            getattr(result, "status", operation.status) if isinstance(result, HttpReply) else operation.status
        )
        if operation.secret:
            self.set_header("Cache-Control", "no-store")
        if isinstance(result, HttpReply):
            self._write_reply(result)
        elif operation.encode is not None:
            self.finish(operation.encode(result))
        else:
            self.finish(_EMPTY_OBJECT)

    def _write_reply(self, reply: HttpReply) -> None:
        self.set_header("Content-Type", reply.content_type)
        for name, value in reply.headers:
            self.set_header(name, value)
        for cookie in reply.cookies:
            self._give(cookie)
        self.finish(reply.body)

    def _give(self, cookie: Cookie) -> None:
        https = self.host.public_url.startswith("https:") or self.host.peers.is_https(self.request)
        self.set_cookie(
            cookie.name, cookie.value, path="/", max_age=cookie.max_age, httponly=True, secure=https, samesite="Strict"
        )

    def fail(self, error: ApiError, *, secret: bool = False) -> None:
        """Answer with a failure."""
        # Its trace holds the frames that hold this handler: without it nothing is left for the garbage collector.
        self.failure = error.with_traceback(None)
        self.set_status(error.status)
        self.set_header("Content-Type", _JSON)
        if secret:
            self.set_header("Cache-Control", "no-store")
        headers = error.headers()
        for name, _ in headers:
            self.clear_header(name)
        for name, value in headers:
            self.add_header(name, _as_utf8(value))
        self.finish(to_json(error.body()))

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """As Tornado's, but a dict is `application/json` exactly, as clients compare it."""
        super().write(chunk)
        if isinstance(chunk, dict):
            self.set_header("Content-Type", _JSON)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The last resort: JSON without details, whatever happened."""
        cause = kwargs.get("exc_info", (None, None))[1]
        if status_code == MethodNotAllowed.status:
            # A method that Tornado does not know comes here without having been prepared.
            self.fail(self._refusal() or MethodNotAllowed(self.allowed()))
        elif isinstance(cause, ApiError):
            self.fail(cause)
        else:
            text = ApiError.message if status_code >= ApiError.status else responses.get(status_code, "Refused.")
            self.set_header("Content-Type", _JSON)
            self.finish({"message": text})

    def log_exception(self, typ: type[BaseException] | None, value: BaseException | None, tb: Any) -> None:
        """One line and the trace for what nobody expected; the path's template, for URIs carry secrets."""
        if not isinstance(value, HTTPError):
            log.error("request failed", route=self.path, method=self.request.method, exc_info=(typ, value, tb))

    async def _head(self, **path: str) -> None:
        """GET without a body. A GET with effects is not called: then this tells who may, and not what is found."""
        operation = self.operations["get"]
        if not operation.effects:
            await self.answer(operation, path)
            return
        try:
            self._count()
            if operation.switch is not None and not operation.switch(self):
                raise operation.off
            if operation.access is not Access.PUBLIC:
                await self._sign_in(operation)
            if operation.before is not None:
                await operation.before(self, **_arguments(operation, path))
        except ApiError as error:
            self.fail(error, secret=operation.secret)
            return
        self.set_header("Content-Type", operation.media_type)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def options(self, **_path: str) -> None:
        """The methods of the path, and who may call from a browser."""
        self.set_header("Allow", ", ".join(self.allowed()))
        if self.request.headers.get("Origin") in self.host.cors_origins:
            self.set_header("Access-Control-Allow-Methods", ", ".join(self.allowed()))
            self.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type, From, X-Api-Key")
            self.set_header("Access-Control-Max-Age", "600")
        self.finish()

    def on_finish(self) -> None:
        """Hand the finished request to whoever counts and logs."""
        self.host.left()
        self.host.observe(self, self.request.request_time())


class UnknownPath(ApiHandler):
    """Any path that no endpoint has."""

    path = "unknown"

    def _refusal(self) -> ApiError:
        return super()._refusal() or RouteNotFound()


def _arguments(operation: Operation, path: Mapping[str, str]) -> dict[str, Any]:
    return {name: operation.path[name].convert(value) for name, value in path.items() if name in operation.path}


def _as_utf8(value: str) -> str:
    """A header that goes out as UTF-8, as `identity` reads those that come in. Tornado encodes it as Latin-1."""
    return value.encode().decode("latin-1")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
