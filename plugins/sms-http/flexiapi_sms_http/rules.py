"""Rules of the settings about answers and reports: JSONPaths (RFC 9535), and Jinja2 expressions in a sandbox."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined
from jinja2.sandbox import SandboxedEnvironment
from jsonpath import JSONPathEnvironment, JSONPathError

from flexiapi_sms_http.templating import validate_names

ANSWER_NAMES = frozenset({"status", "headers", "text", "json"})
REPORT_NAMES = frozenset({"form", "json", "query"})

UNREADABLE = JSONPathError
"""The failure of a path that cannot be followed in what the gateway has sent."""

_PATH_SIGN = "$"

# Without the extensions of the library, so that paths mean the same elsewhere.
_PATHS = JSONPathEnvironment(strict=True)

# A field that an answer lacks is undefined, and equal to nothing.
_EXPRESSIONS = SandboxedEnvironment(undefined=ChainableUndefined)

_path = lru_cache(maxsize=256)(_PATHS.compile)
_expression = lru_cache(maxsize=256)(_EXPRESSIONS.compile_expression)


def is_path(rule: str) -> bool:
    """Return whether a rule is a JSONPath."""
    return rule.lstrip().startswith(_PATH_SIGN)


def value(rule: str | None, names: Mapping[str, Any]) -> Any:
    """Return the first value that a path finds, or that of an expression; `None` without a rule or a value."""
    if rule is None:
        return None
    if is_path(rule):
        return next(iter(every(rule, names)), None)
    return _expression(rule)(**names)


def every(path: str, names: Mapping[str, Any]) -> list[Any]:
    """Return all values that a path finds."""
    # The library takes a text for JSON that is still to be parsed.
    content = names["json"]
    return [match.obj for match in _path(path.strip()).finditer(content)] if isinstance(content, dict | list) else []


def text(rule: str | None, names: Mapping[str, Any]) -> str | None:
    """Return the text or number that a rule finds, as text; an object or list, which may tell anything, is none."""
    found = value(rule, names)
    return str(found) if isinstance(found, str | int | float) else None


def number(rule: str | None, names: Mapping[str, Any]) -> float | None:
    """Return the value of a rule as a number, `None` if it is none."""
    try:
        found = float(value(rule, names))
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def holds(rule: str | None, names: Mapping[str, Any], values: Sequence[object] | None = None) -> bool:
    """Return True if an expression is true, or if a path finds something, and nothing but what is in `values`.

    Without `values` a path must find nothing that is false, null, 0 or empty.
    """
    if rule is None:
        return False
    if not is_path(rule):
        return bool(value(rule, names))
    found = every(rule, names)
    wanted = None if values is None else {_written(one) for one in values}
    return bool(found) and all(bool(one) if wanted is None else _written(one) in wanted for one in found)


def _written(one: object) -> str:
    """Return a value as a gateway may have written it: 0 and "0" are the same."""
    return one if isinstance(one, str) else json.dumps(one, sort_keys=True)


def validate_rule(rule: str, known: frozenset[str] = ANSWER_NAMES) -> None:
    """Raise `ValueError` with the reason if a rule is not valid."""
    if not is_path(rule):
        validate_names("{{ " + rule + " }}", known)
        return
    try:
        _path(rule.strip())
    except JSONPathError as error:
        raise ValueError(f"is not a JSONPath: {str(error).splitlines()[0]}") from error
