"""The declaration of an operation, one verb of one path, as data."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, Protocol, TypedDict

from pydantic import TypeAdapter

from flexiapi.errors import ApiError, FieldErrors, NotFound, RecordNotFound
from flexiapi.web.parameters import Params
from flexiapi.web.replies import HttpReply, Json

Verb = Callable[..., Awaitable[Any]]
Checks = Callable[[Any, Any], Awaitable[FieldErrors]]
Requirement = Callable[..., Awaitable[object]]
Predicate = Callable[[Any], bool]


class Access(StrEnum):
    """The role that an operation requires."""

    PUBLIC = "Public"
    USER = "User"
    ADMIN = "Admin"


@dataclass(frozen=True, slots=True)
class Segment:
    """The form of a path parameter: annotate it, `Annotated[int, Segment("[0-9]{1,18}", "12")]`."""

    pattern: str
    example: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A parameter in the path."""

    name: str
    segment: Segment
    convert: Callable[[str], Any]

    @property
    def regex(self) -> re.Pattern[str]:
        """The pattern of the whole decoded segment, in which any character may be a slash."""
        return re.compile(self.segment.pattern, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that enables an operation.

    `on` is called with the exchange. `off` is the failure while it returns False; `RouteNotFound` then is the answer
    to every method of the path.
    """

    on: Predicate
    off: type[NotFound] = RecordNotFound


@dataclass(frozen=True, slots=True)
class Guard:
    """Protection against guessing and flooding from one IP address.

    Each call counts against the limit named `limit`. With `guess`, a 403 or 404 of the call itself counts as a wrong
    guess at a secret, and an address with too many of them is refused. `spared` returns True for requests that present
    no secret.
    """

    limit: str | None = None
    guess: bool = False
    spared: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form, which the call reads while it arrives.

    `most_bytes`, called with the exchange, returns the limit of the body, in bytes, and `seconds` the longest time that
    the client may take to send it. `description` is that of the field `file`.
    """

    most_bytes: Callable[[Any], int]
    seconds: Callable[[Any], float]
    description: str


class KeyRight(Protocol):
    """A right that a named API key can have, whose text is its name."""

    @property
    def value(self) -> str:
        """The name, as in requests."""

    @property
    def description(self) -> str:
        """The actions that it allows, for people."""


class Declaration(TypedDict, total=False):
    """The arguments of `@endpoint` beside the access; `Operation` describes them."""

    scope: KeyRight | tuple[KeyRight, ...]
    status: int
    raises: Sequence[type[ApiError]]
    secret: bool
    effects: bool
    keeps_accounts: bool
    guard: Guard
    switch: Switch
    requires: Requirement
    checks: Checks
    hidden: bool
    example: Any
    fresh: int
    limited: bool
    upload: Upload


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One verb of one path, as declared by `@endpoint` and by the signature and docstring of the method.

    Attributes:
        verb: HTTP method, in lower case.
        call: the decorated method.
        summary: first line of its docstring.
        description: rest of its docstring.
        access: required role.
        scope: what opens it to named API keys too, which have no account; several are alternatives.
        path: path parameters, by name.
        params: model of the parameters in body and query, if any.
        params_name: name of the argument that takes them.
        answer: type that is encoded as JSON, or that describes the JSON of a reply.
        reply: class of the reply, when the method returns one.
        status: HTTP status of success.
        raises: failures of its own that it may answer with.
        secret: the answer carries a secret, so nothing may store it.
        effects: a GET that changes something: HEAD, prefetch and other sites never cause it.
        keeps_accounts: it changes no account, so it is served while the sign-in replica cannot follow changes.
        guard: limits per IP address.
        switch: setting that enables it.
        requires: what must hold before the parameters are read, and for HEAD of a GET with effects. Called with the
            exchange and the path parameters; raises a failure.
        checks: rules of a service for the parameters. Called with the exchange and the values that are valid so far;
            returns errors by field.
        hidden: not part of the API document, such as a page.
        example: example of the JSON answer.
        fresh: minutes within which the owner of a session must have proven who it is; 0 for any time.
        limited: it is open to sessions that may only confirm their account.
        upload: the file that its body brings. All other steps come before the body is read.
    """

    verb: str
    call: Verb
    summary: str
    description: str
    access: Access
    path: Mapping[str, PathParameter]
    params: type[Params] | None
    params_name: str
    answer: Any
    reply: type[HttpReply] | None
    scope: KeyRight | tuple[KeyRight, ...] = ()
    status: int = 200
    raises: Sequence[type[ApiError]] = ()
    secret: bool = False
    effects: bool = False
    keeps_accounts: bool = False
    guard: Guard = Guard()
    switch: Switch | None = None
    requires: Requirement | None = None
    checks: Checks | None = None
    hidden: bool = False
    example: Any = None
    fresh: int = 0
    limited: bool = False
    upload: Upload | None = None

    @cached_property
    def encode(self) -> Callable[[Any], bytes] | None:
        """The encoder of the answer, when the method returns no reply. A process uses few of all."""
        if self.reply is not None or self.answer is None:
            return None
        return partial(TypeAdapter(self.answer).dump_json, by_alias=True)

    @cached_property
    def scopes(self) -> tuple[KeyRight, ...]:
        """The scopes of named API keys, each of which opens it."""
        return self.scope if isinstance(self.scope, tuple) else (self.scope,)

    @property
    def is_unsafe(self) -> bool:
        """True if a call changes something."""
        return self.effects or self.verb != "get"

    @property
    def may_change_accounts(self) -> bool:
        """True if a call may change accounts, which the sign-in replica then follows."""
        return self.is_unsafe and not self.keeps_accounts

    @property
    def statuses(self) -> Sequence[int]:
        """The HTTP statuses of success."""
        return (self.status, *(self.reply.other_statuses if self.reply is not None else ()))

    @property
    def media_type(self) -> str:
        """Media type of the answer."""
        return (self.reply or Json).content_type


def operation_of(verb: Any) -> Operation | None:
    """Return the declaration of a decorated method."""
    return getattr(verb, "operation", None)
