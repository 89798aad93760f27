"""Example calls as curl commands."""

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flexiapi.web.operation import Access, Operation

_STEP = " \\\n  "


def target_of(path: str, operation: Operation, query: Mapping[str, Any]) -> str:
    """Return the path with the examples of its parameters, and the query."""
    for name, parameter in operation.path.items():
        path = path.replace(f"{{{name}}}", quote(parameter.segment.example, safe="@:+"))
    return f"{path}?{urlencode(query)}" if query else path


def curl(url: str, verb: str, access: Access, body: Any = None, *, sends_file: bool = False) -> str:
    """Return the command. `$API_KEY` stands for the caller's own key."""
    method = "" if verb == "get" or sends_file else f" -X {verb.upper()}"
    parts = [f"curl{method} {shlex.quote(url)}", "-H 'accept: application/json'"]
    if access is not Access.PUBLIC:
        parts.append('-H "x-api-key: $API_KEY"')
    if body is not None:
        parts.append("-H 'content-type: application/json'")
        parts.append(f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    if sends_file:
        parts.append("-F file=@FILE")
    return _STEP.join(parts)
