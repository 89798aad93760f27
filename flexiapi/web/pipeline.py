"""The pipeline: all steps of the processing of a request, in order."""

import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from flexiapi.errors import (
    AdminRequired,
    ApiError,
    BodyTooLarge,
    Forbidden,
    KeyRefused,
    NotFound,
    PrefetchRefused,
    RouteNotFound,
    TooManyRequests,
    Unavailable,
)
from flexiapi.limit_key import counted_as
from flexiapi.web import browser_steps
from flexiapi.web.closed import Overloaded
from flexiapi.web.exchange import Call, Exchange, Plan, Step
from flexiapi.web.form_origin import form
from flexiapi.web.operation import Access, Operation
from flexiapi.web.other_methods import answer_other
from flexiapi.web.parameters import Validated, read
from flexiapi.web.replies import Answer, HttpReply, Json

_EMPTY_OBJECT = Json(b"{}")
# The headers of requests that browsers and scanners make before a person does.
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_LOOKING = re.compile("prefetch|prerender|preview", re.IGNORECASE)

Applies = Callable[[Operation], bool]


def space(_operation: object, exchange: Exchange) -> None:
    """Look up the service that the host name of the request stands for."""
    exchange.host_space = exchange.context.space_of(exchange.request)


def maintenance(_operation: object, exchange: Exchange) -> None:
    """Refuse everything but health checks while the process answers no requests, and what it cannot answer in time."""
    refusal = exchange.context.refusal()
    if refusal is not None and not exchange.is_health_check:
        raise refusal
    if exchange.is_shed and exchange.context.is_overloaded(is_transfer=exchange.is_transfer):
        raise Overloaded


def size(_operation: object, exchange: Exchange) -> None:
    """Refuse a body over the limit."""
    if exchange.request.is_too_large:
        raise BodyTooLarge


def existence(_operation: object, exchange: Exchange) -> None:
    """Treat a path that is switched off as one that does not exist."""
    if not exchange.exists():
        raise RouteNotFound


def throttle(_operation: object, exchange: Exchange) -> None:
    """Count a request against the general limit per IP address."""
    context = exchange.context
    table = context.throttle
    if not table.limit or not exchange.is_throttled:
        return
    if context.exempt_networks and context.peers.is_within(exchange.request, context.exempt_networks):
        return
    left, seconds = table.count(counted_as(exchange.client))
    exchange.headers.append(("X-RateLimit-Limit", str(table.limit)))
    exchange.headers.append(("X-RateLimit-Remaining", str(max(left, 0))))
    if left < 0:
        exchange.headers.append(("X-RateLimit-Reset", str(int(time.time()) + seconds)))
        raise TooManyRequests(seconds)


def switch(operation: Operation, exchange: Exchange) -> None:
    """Refuse an operation that is switched off, with the failure of its declaration."""
    if operation.switch is not None and not operation.switch.on(exchange):
        raise operation.switch.off


def prefetch(_operation: object, exchange: Exchange) -> None:
    """Refuse to prefetch an operation that has effects."""
    headers = exchange.request.headers
    for name in _PURPOSES:
        if name in headers and _LOOKING.search(headers[name]):
            raise PrefetchRefused


async def sign_in(_operation: object, exchange: Exchange) -> None:
    """Prove the identity that the request claims."""
    exchange.claim = exchange.claimed()
    assert exchange.host_space is not None
    exchange.identity = await exchange.context.sign_in(exchange.claim, exchange.client, exchange.host_space)
    exchange.headers += exchange.identity.headers


def role(operation: Operation, exchange: Exchange) -> None:
    """Refuse accounts without the role, and named API keys without a scope of the operation."""
    identified = exchange.identity
    assert identified is not None
    if identified.scopes is not None:
        if identified.scopes.isdisjoint(operation.scopes):
            raise KeyRefused.without(scope.value for scope in operation.scopes) if operation.scopes else KeyRefused
        # A SIP server sends what all of its users do from one address, with one key.
        if exchange.is_throttled and exchange.context.throttle.limit:
            exchange.context.throttle.give_back(counted_as(exchange.client))
    elif operation.access is Access.ADMIN and not identified.is_active_admin:
        raise AdminRequired


def limit(operation: Operation, exchange: Exchange) -> Awaitable[None]:
    """Count the call against the declared limit per IP address."""
    assert operation.guard.limit is not None
    return exchange.context.limit(operation.guard.limit, exchange.client)


def segments(operation: Operation, exchange: Exchange) -> None:
    """Read the path parameters."""
    values = exchange.path_values
    exchange.arguments = {name: parameter.convert(values[name]) for name, parameter in operation.path.items()}


async def requires(operation: Operation, exchange: Exchange) -> None:
    """Check the condition that precedes the parameters."""
    assert operation.requires is not None
    await operation.requires(exchange, **exchange.arguments)


def parameters(operation: Operation, exchange: Exchange) -> None:
    """Read the parameters and check their syntax. Errors are raised together with those of the checks."""
    assert operation.params is not None
    assert exchange.host_space is not None
    request, context = exchange.request, exchange.context.validation_context(exchange.host_space)
    raw, errors = read(operation.params, request.body, request.headers.get("Content-Type", ""), exchange.query)
    exchange.validated = Validated(operation.params, raw, context, errors)


async def checks(operation: Operation, exchange: Exchange) -> None:
    """Check the parameters against the rules of the services. Raises `ValidationFailed` if there are any errors."""
    validated = exchange.validated
    if operation.checks is not None:
        for field, texts in (await operation.checks(exchange, validated.values)).items():
            validated.errors.setdefault(field, []).extend(texts)
    exchange.arguments[operation.params_name] = validated.result()


def call(operation: Operation, exchange: Exchange) -> Awaitable[Any]:
    """Call the method of the endpoint."""
    return operation.call(exchange, **exchange.arguments)


def guard(inner: Call) -> Call:
    """Refuse guessers, and count a wrong guess at a secret. Only the call compares secrets, so only it is guarded."""

    async def guarded(operation: Operation, exchange: Exchange) -> Any:
        spared, context = operation.guard.spared, exchange.context
        if spared is not None and spared(exchange):
            return await inner(operation, exchange)
        context.refuse_guesser(exchange.client)
        try:
            result = await inner(operation, exchange)
        except (NotFound, Forbidden):
            await context.count_wrong_guess(exchange.client)
            raise
        if isinstance(result, HttpReply) and result.is_wrong_guess:
            await context.count_wrong_guess(exchange.client)
        return result

    return guarded


def settle(inner: Call) -> Call:
    """Wait until the effects of a change are complete before it is answered, also if the call failed.

    While they could not be, nothing is changed: what is used once would be spent, and a repetition would fail. When
    only the effects of this change fail, it is answered as what it is, done, and they follow later.
    """

    async def settled(operation: Operation, exchange: Exchange) -> Any:
        await exchange.context.check_settling()
        try:
            return await inner(operation, exchange)
        finally:
            with contextlib.suppress(Unavailable):
                await exchange.settle()

    return settled


def _always(_operation: Operation) -> bool:
    return True


def _takes_sign_in(operation: Operation) -> bool:
    return operation.access is not Access.PUBLIC


def _refuses_unconfirmed(operation: Operation) -> bool:
    return operation.hidden and _takes_sign_in(operation) and not operation.limited


def _may_demand_proof(operation: Operation) -> bool:
    return operation.fresh > 0 or (operation.hidden and operation.access is Access.ADMIN)


# The pipeline, from top to bottom. These steps apply to every request, also to OPTIONS, unknown methods and paths. The
# space comes first, for the answers of all others are in its name.
OF_EVERY_REQUEST: tuple[Callable[[object, Exchange], None], ...] = (space, maintenance, size, existence)
# Then come the steps that apply to the operation.
STEPS: tuple[tuple[Step, Applies], ...] = (
    *((step, _always) for step in OF_EVERY_REQUEST),
    (throttle, _always),
    (switch, lambda operation: operation.switch is not None),
    (prefetch, lambda operation: operation.is_unsafe),
    (sign_in, _takes_sign_in),
    (role, _takes_sign_in),
    (browser_steps.unconfirmed, _refuses_unconfirmed),
    (browser_steps.cross_site, lambda operation: operation.is_unsafe and _takes_sign_in(operation)),
    (limit, lambda operation: operation.guard.limit is not None),
    (segments, lambda operation: bool(operation.path)),
    (requires, lambda operation: operation.requires is not None),
    (parameters, lambda operation: operation.params is not None),
    (form, lambda operation: operation.params is not None and operation.params.is_form),
    (browser_steps.fresh, _may_demand_proof),
    (checks, lambda operation: operation.params is not None),
)
# Last comes the call, in the wrappers that apply, from the inside out.
AROUND_CALL: tuple[tuple[Callable[[Call], Call], Applies], ...] = (
    (guard, lambda operation: operation.guard.guess),
    (settle, lambda operation: operation.may_change_accounts),
)
# HEAD of a GET with effects ends before the parameters.
_END = [step for step, _ in STEPS].index(parameters)


def plans_of(operations: Mapping[str, Operation]) -> dict[str, Plan]:
    """Return the plans of a path by HTTP method. HEAD is like GET, but never calls an operation with effects."""
    plans = {verb.upper(): _plan(operation) for verb, operation in operations.items()}
    get = operations.get("get")
    if get is not None:
        plans["HEAD"] = Plan(get, _applying(STEPS[:_END], get), None) if get.effects else plans["GET"]
    return plans


def _plan(operation: Operation) -> Plan:
    wrapped: Call = call
    for around, applies in AROUND_CALL:
        if applies(operation):
            wrapped = around(wrapped)
    return Plan(operation, _applying(STEPS, operation), wrapped)


def _applying(steps: Sequence[tuple[Step, Applies]], operation: Operation) -> tuple[Step, ...]:
    return tuple(step for step, applies in steps if applies(operation))


async def answer(exchange: Exchange) -> Answer:
    """Run the steps that apply and then the call, and return the answer. Only unexpected failures are raised."""
    plan = exchange.plans.get(exchange.request.method)
    if plan is None:
        return answer_other(exchange, OF_EVERY_REQUEST)
    operation = plan.operation
    try:
        for step in plan.steps:
            pending = step(operation, exchange)
            if pending is not None:
                await pending
        if plan.call is None:
            return Answer(operation.status, (operation.reply or Json)(b""), exchange.headers, is_secret=True)
        result = await plan.call(operation, exchange)
    except ApiError as error:
        return await exchange.explained(error, operation)
    if isinstance(result, HttpReply):
        status = getattr(result, "status", operation.status)
        return Answer(status, result, exchange.headers, operation.secret)
    reply = _EMPTY_OBJECT if operation.encode is None else Json(operation.encode(result))
    return Answer(operation.status, reply, exchange.headers, operation.secret)
