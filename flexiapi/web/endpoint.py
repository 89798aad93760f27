"""The declaration of an endpoint: one decorator and a signature, from which everything about it is derived."""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from flexiapi.errors import ApiError, NotFound, RecordNotFound
from flexiapi.web.operation import Access, Before, Check, Operation, PathParameter, Segment, Verb
from flexiapi.web.parameters import Params
from flexiapi.web.replies import HttpReply

if TYPE_CHECKING:
    from flexiapi.web.handler import ApiHandler

H = TypeVar("H", bound="ApiHandler")


def endpoint(
    access: Access,
    *,
    raises: Sequence[type[ApiError]] = (),
    status: int = 200,
    secret: bool = False,
    effects: bool = False,
    limit: str | None = None,
    guess: bool = False,
    check: Check | None = None,
    before: Before | None = None,
    switch: Callable[[Any], bool] | None = None,
    off: type[NotFound] = RecordNotFound,
    hidden: bool = False,
    example: Any = None,
) -> Callable[[Verb], Verb]:
    """Declare a verb of an `ApiHandler`.

    Args:
        access: the role that it takes.
        raises: the failures of its own that it may answer with.
        status: of success.
        secret: the answer carries a secret, so nothing may store it.
        effects: a GET that changes something: HEAD, prefetch and other sites never cause it.
        limit: name of the limit per IP address that each call counts against.
        guess: a 404 may be a wrong guess at a secret, so it is counted, and guessers are refused.
        check: rules that need the store, for the parameters that are right so far; returns errors by field.
        before: what must hold before the parameters are looked at, and for HEAD of a GET with effects; called with
            the handler and the path parameters.
        switch: whether the endpoint is enabled; when not, it answers 404.
        off: the failure that it answers then; `RouteNotFound` is the path's answer to every method.
        hidden: not part of the API document, such as a page.
        example: an example of the JSON answer.
    """

    def declare(method: Verb) -> Verb:
        hints = get_type_hints(method, include_extras=True)
        answer, reply = _answer(hints.pop("return", None))
        params_name, params = next(
            ((n, h) for n, h in hints.items() if isinstance(h, type) and issubclass(h, Params)), ("", None)
        )
        summary, _, description = inspect.cleandoc(method.__doc__ or "").partition("\n")
        operation = Operation(
            verb=method.__name__,
            call=method,
            summary=summary.strip(),
            description=description.strip(),
            access=access,
            status=status,
            raises=tuple(raises),
            secret=secret,
            effects=effects,
            limit=limit,
            guess=guess,
            check=check,
            before=before,
            switch=switch,
            off=off,
            hidden=hidden,
            path={name: _path_parameter(name, hint) for name, hint in hints.items() if name != params_name},
            params=params,
            params_name=params_name,
            answer=answer,
            reply=reply,
            encode=TypeAdapter(answer).dump_json if reply is None and answer is not None else None,
            example=example,
        )

        async def respond(self: "ApiHandler", **path: str) -> None:
            await self.answer(operation, path)

        respond.__doc__ = method.__doc__
        respond.operation = operation  # type: ignore[attr-defined]  # the declaration travels with the verb
        return respond

    return declare


def _path_parameter(name: str, hint: Any) -> PathParameter:
    kind, *metadata = get_args(hint)
    segment = next(piece for piece in metadata if isinstance(piece, Segment))
    return PathParameter(name, segment, kind)


def _answer(returns: Any) -> tuple[Any, type[HttpReply] | None]:
    """What the JSON is made from, or describes, and its kind if it is an `HttpReply`: `Annotated[Json, ApiKeyView]`."""
    kind, *described = get_args(returns) if get_origin(returns) is Annotated else (returns,)
    if isinstance(kind, type) and issubclass(kind, HttpReply):
        return (described[0] if described else None), kind
    return (None if kind is type(None) else returns), None
