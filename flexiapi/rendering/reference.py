"""Variables of the documentation page: the endpoints in sections."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceParameter:
    """A parameter; `place` is `path`, `query` or `body`."""

    name: str
    place: str
    kind: str
    is_required: bool
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class ReferenceFailure:
    """A failure of the endpoint's own."""

    status: str
    description: str


@dataclass(frozen=True, slots=True)
class ReferenceEndpoint:
    """A verb of a path. `is_enabled` is `None` for those that every server has."""

    anchor: str
    method: str
    path: str
    access: str
    summary: str
    description: str
    is_enabled: bool | None
    parameters: Sequence[ReferenceParameter]
    call: str
    status: str
    media_type: str
    answer: str | None
    failures: Sequence[ReferenceFailure]


@dataclass(frozen=True, slots=True)
class ReferenceLife:
    """The time for which a key, token or code is valid."""

    subject: str
    life: str


@dataclass(frozen=True, slots=True)
class ReferenceSection:
    """The endpoints of one resource."""

    anchor: str
    title: str
    description: str
    endpoints: Sequence[ReferenceEndpoint]
