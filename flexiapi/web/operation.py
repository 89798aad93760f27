"""The declaration of an operation: one verb of one path, as data."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flexiapi.errors import ApiError, NotFound
from flexiapi.web.parameters import Errors, Params
from flexiapi.web.replies import HttpReply, Json

Verb = Callable[..., Awaitable[Any]]
Check = Callable[[Any, Mapping[str, Any]], Awaitable[Errors]]
Before = Callable[..., Awaitable[None]]


class Access(StrEnum):
    """Who may call an endpoint."""

    PUBLIC = "Public"
    USER = "User"
    ADMIN = "Admin"


@dataclass(frozen=True, slots=True)
class Segment:
    """What a path parameter looks like: annotate it, `Annotated[int, Segment("[0-9]{1,18}", "12")]`."""

    pattern: str
    example: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A parameter that stands in the path."""

    name: str
    segment: Segment
    convert: Callable[[str], Any]

    @property
    def regex(self) -> re.Pattern[str]:
        """Matches the decoded segment as a whole, in which a slash may stand as any character."""
        return re.compile(self.segment.pattern, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb of one path, as declared."""

    verb: str
    call: Verb
    summary: str
    description: str
    access: Access
    status: int
    raises: tuple[type[ApiError], ...]
    secret: bool
    effects: bool
    limit: str | None
    guess: bool
    check: Check | None
    before: Before | None
    switch: Callable[[Any], bool] | None
    off: type[NotFound]
    hidden: bool
    path: Mapping[str, PathParameter]
    params: type[Params] | None
    params_name: str
    answer: Any
    reply: type[HttpReply] | None
    encode: Callable[[Any], bytes] | None
    example: Any

    @property
    def is_unsafe(self) -> bool:
        """Whether calling it changes something."""
        return self.effects or self.verb != "get"

    @property
    def media_type(self) -> str:
        """Of the answer."""
        return (self.reply or Json).content_type


def operation_of(verb: Any) -> Operation | None:
    """The declaration that a verb carries."""
    return getattr(verb, "operation", None)
