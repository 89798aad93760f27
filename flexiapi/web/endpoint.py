"""Endpoints: paths with operations, each declared by a decorator and the signature of its method."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar, Unpack, get_args, get_origin, get_type_hints

from flexiapi.errors import RouteNotFound
from flexiapi.web import pipeline
from flexiapi.web.exchange import Exchange
from flexiapi.web.operation import (
    Access,
    Declaration,
    Operation,
    PathParameter,
    Segment,
    Verb,
    operation_of,
)
from flexiapi.web.parameters import Params
from flexiapi.web.replies import HttpReply

_VERBS = ("get", "post", "put", "patch", "delete")

V = TypeVar("V", bound=Verb)


def endpoint(access: Access, **declared: Unpack[Declaration]) -> Callable[[V], V]:
    """Declare a method of an `Endpoint` as an operation; `Operation` describes the arguments."""

    def declare(method: V) -> V:
        # `Endpoint` collects the declarations from its methods.
        method.operation = _operation(method, access, declared)  # type: ignore[attr-defined]
        return method

    return declare


class Endpoint(Exchange):
    """A path and its operations; an instance is one exchange. Subclasses declare `path` and verbs with `@endpoint`."""

    operations: ClassVar[Mapping[str, Operation]] = {}

    def __init_subclass__(cls) -> None:
        """Collect the declared verbs, and plan their steps."""
        super().__init_subclass__()
        verbs = {verb: operation_of(getattr(cls, verb, None)) for verb in _VERBS}
        cls.operations = {verb: operation for verb, operation in verbs.items() if operation is not None}
        uploads = {verb.upper(): operation.upload for verb, operation in cls.operations.items()}
        cls.uploads = {method: upload for method, upload in uploads.items() if upload is not None}
        cls.plans = pipeline.plans_of(cls.operations)
        cls.methods = [*map(str.upper, cls.operations), *(["HEAD"] if "get" in cls.operations else []), "OPTIONS"]
        # Phones would take a refusal of their own documents, which need a sign-in, for the documents.
        is_open = any(operation.access is Access.PUBLIC for operation in cls.operations.values())
        cls.is_throttled = cls.path.startswith("/api") or (is_open and not cls.is_never_throttled)
        switches = (operation.switch for operation in cls.operations.values())
        cls.path_switches = [switch.on for switch in switches if switch is not None and switch.off is RouteNotFound]

    @classmethod
    def path_parameters(cls) -> Mapping[str, PathParameter]:
        """Return the parameters of the path, as the signatures of the verbs declare them."""
        return {name: parameter for operation in cls.operations.values() for name, parameter in operation.path.items()}


class UnknownPath(Endpoint):
    """A path without an endpoint."""

    path = "unknown"

    def exists(self) -> bool:
        """Return False."""
        return False


def _operation(method: Verb, access: Access, declared: Declaration) -> Operation:
    hints = get_type_hints(method, include_extras=True)
    answer, reply = _answer(hints.pop("return", None))
    params_name, params = next(
        ((n, h) for n, h in hints.items() if isinstance(h, type) and issubclass(h, Params)), ("", None)
    )
    summary, _, description = inspect.cleandoc(method.__doc__ or "").partition("\n")
    return Operation(
        verb=method.__name__,
        call=method,
        summary=summary.strip(),
        description=description.strip(),
        access=access,
        path={name: _path_parameter(name, hint) for name, hint in hints.items() if name != params_name},
        params=params,
        params_name=params_name,
        answer=answer,
        reply=reply,
        **declared,
    )


def _path_parameter(name: str, hint: Any) -> PathParameter:
    kind, *metadata = get_args(hint)
    segment = next(piece for piece in metadata if isinstance(piece, Segment))
    return PathParameter(name, segment, kind)


def _answer(returns: Any) -> tuple[Any, type[HttpReply] | None]:
    """Return the type of the JSON, and the class of the reply if it is one: `Annotated[Json, ApiKeyView]` has both."""
    kind, *described = get_args(returns) if get_origin(returns) is Annotated else (returns,)
    if isinstance(kind, type) and issubclass(kind, HttpReply):
        return (described[0] if described else None), kind
    return (None if kind is type(None) else returns), None
