"""Endpoints: paths with operations, each declared by a decorator and the signature of its method."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, TypeVar, Unpack, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import to_json

from flexiapi.errors import ApiError, MethodNotAllowed, RouteNotFound
from flexiapi.web import browsers, pipeline
from flexiapi.web.exchange import Exchange
from flexiapi.web.operation import (
    Access,
    Declaration,
    Operation,
    PathParameter,
    Predicate,
    Segment,
    Verb,
    operation_of,
)
from flexiapi.web.parameters import Params
from flexiapi.web.replies import Answer, HttpReply, Json

_VERBS = ("get", "post", "put", "patch", "delete")
_EMPTY_OBJECT = Json(b"{}")
_NO_BODY = Json(b"")

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
    plans: ClassVar[Mapping[str, pipeline.Plan]] = {}
    _path_switches: ClassVar[Sequence[Predicate]] = ()

    failure: ApiError | None = None

    def __init_subclass__(cls) -> None:
        """Collect the declared verbs, and plan their steps."""
        super().__init_subclass__()
        verbs = {verb: operation_of(getattr(cls, verb, None)) for verb in _VERBS}
        cls.operations = {verb: operation for verb, operation in verbs.items() if operation is not None}
        cls.plans = pipeline.plans_of(cls.operations)
        cls.is_throttled = cls.path.startswith("/api")
        switches = (operation.switch for operation in cls.operations.values())
        cls._path_switches = [switch.on for switch in switches if switch is not None and switch.off is RouteNotFound]

    @classmethod
    def path_parameters(cls) -> Mapping[str, PathParameter]:
        """Return the parameters of the path, as the signatures of the verbs declare them."""
        return {name: parameter for operation in cls.operations.values() for name, parameter in operation.path.items()}

    @classmethod
    def allowed(cls) -> list[str]:
        """Return the methods of the path."""
        verbs = [verb.upper() for verb in cls.operations]
        return [*verbs, *(["HEAD"] if "GET" in verbs else []), "OPTIONS"]

    def exists(self) -> bool:
        """Return whether no operation that hides the path while it is off is switched off."""
        for is_on in self._path_switches:  # noqa: SIM110  # on the way of every request, and faster than `all`
            if not is_on(self):
                return False
        return True

    async def answer(self) -> Answer:
        """Return the answer to the request. Only unexpected failures are raised."""
        plan = self.plans.get(self.request.method)
        if plan is None:
            return self.answer_other_method()
        operation = plan.operation
        self.arguments = {
            name: operation.path[name].convert(value)
            for name, value in self.path_values.items()
            if name in operation.path
        }
        try:
            result = await plan.run(self)
        except ApiError as error:
            return self.failed(error, is_secret=operation.secret)
        if plan.call is None:
            return Answer(operation.status, (operation.reply or Json)(b""), self.headers, is_secret=True)
        return self._succeeded(operation, result)

    def _succeeded(self, operation: Operation, result: Any) -> Answer:
        if isinstance(result, HttpReply):
            status = getattr(result, "status", operation.status)
            return Answer(status, result, self.headers, operation.secret)
        reply = _EMPTY_OBJECT if operation.encode is None else Json(operation.encode(result))
        return Answer(operation.status, reply, self.headers, operation.secret)

    def answer_other_method(self) -> Answer:
        """Return the answer to OPTIONS, and to methods that the path does not have."""
        try:
            pipeline.refuse(self)
            if self.request.method != "OPTIONS":
                raise MethodNotAllowed(self.allowed())
        except ApiError as error:
            return self.failed(error)
        return Answer(200, _NO_BODY, browsers.preflight(self, self.allowed()))

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
            reply = Endpoint.rendered(self, error, status)
        return Answer(status, reply)

    def rendered(self, error: ApiError, _status: int) -> HttpReply:
        """Return a failure in the format of this kind of endpoint, here JSON."""
        return Json(to_json(error.body()))


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
        encode=partial(TypeAdapter(answer).dump_json, by_alias=True) if reply is None and answer is not None else None,
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
