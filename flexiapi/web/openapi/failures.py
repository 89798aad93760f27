"""The failures that an operation may answer with: its own, and those of the pipeline."""

from collections.abc import Iterator

from flexiapi.errors import (
    AccountBlocked,
    AdminRequired,
    ApiError,
    BodyTooLarge,
    CrossSiteRequest,
    KeyRefused,
    MalformedRequest,
    PrefetchRefused,
    RecordNotFound,
    ReplicaNotWritable,
    RouteNotFound,
    SignInRequired,
    StoreUnavailable,
    TooManyRequests,
    ValidationFailed,
)
from flexiapi.web.closed import Maintenance, NotReady, Overloaded
from flexiapi.web.operation import Access, Operation

Failure = type[ApiError]
# What is for this installation's own programs, which must not be told to wait.
_NEVER_LIMITED = frozenset({"/sip/auth", "/metrics", "/health/live", "/health/ready"})


def failures_of(path: str, operation: Operation) -> tuple[Failure, ...]:
    """Return all failures of the operation, by status. A bare `ApiError` stands for unexpected ones."""
    found = dict.fromkeys(
        [*operation.raises, *_of_access(operation), *_of_input(operation), *_of_service(path, operation)]
    )
    return tuple(sorted(found, key=lambda failure: failure.status))


def _of_access(operation: Operation) -> Iterator[Failure]:
    if operation.is_unsafe:
        yield PrefetchRefused
    if operation.access is Access.PUBLIC:
        return
    yield from (SignInRequired, AccountBlocked, RecordNotFound, ValidationFailed)
    if operation.is_unsafe:
        yield CrossSiteRequest
    yield KeyRefused
    if operation.access is Access.ADMIN:
        yield AdminRequired


def _of_input(operation: Operation) -> Iterator[Failure]:
    yield BodyTooLarge
    if operation.params is not None:
        yield from (MalformedRequest, ValidationFailed)
    if operation.path:
        yield RouteNotFound
    if operation.switch is not None:
        yield operation.switch.off


def _of_service(path: str, operation: Operation) -> Iterator[Failure]:
    if path not in _NEVER_LIMITED:
        yield TooManyRequests
    if operation.may_change_accounts:
        yield ReplicaNotWritable
    yield from (ApiError, Maintenance, NotReady, Overloaded, StoreUnavailable)
