"""View model of the documentation page: endpoints in sections."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; `place` is `path`, `query` or `body`."""

    name: str
    place: str
    kind: str
    is_required: bool
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that the endpoint declares."""

    status: str
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An HTTP method of a path. `is_enabled` is `None` for endpoints that cannot be switched off."""

    anchor: str
    method: str
    path: str
    access: str
    summary: str
    description: str
    is_enabled: bool | None
    parameters: Sequence[Parameter]
    call: str
    status: str
    media_type: str
    answer: str | None
    failures: Sequence[Failure]


@dataclass(frozen=True, slots=True)
class ReferenceSection:
    """The endpoints of one resource."""

    anchor: str
    title: str
    description: str
    endpoints: Sequence[Endpoint]
