"""Routes: literal segments win over parameters, and the order of declaration does not matter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from flexiapi.web.endpoint import Endpoint
from flexiapi.web.operation import PathParameter

Found = tuple[type[Endpoint], dict[str, str]]
# What decides whether an answer is a page.
PAGE_HEADERS = ("Accept", "Sec-Fetch-Dest", "X-Linphone-Provisioning")


@dataclass(slots=True)
class Node:
    """A node of the tree of path segments."""

    literals: dict[str, "Node"] = field(default_factory=dict)
    parameters: list[tuple[PathParameter, Any, "Node"]] = field(default_factory=list)
    endpoint: type[Endpoint] | None = None


def wants_page(headers: Mapping[str, str]) -> bool:
    """Return whether a browser asks for a page to show, which phones and programs never do."""
    if "X-Linphone-Provisioning" in headers:
        return False
    return headers.get("Sec-Fetch-Dest") == "document" or _names_html(headers.get("Accept", ""))


def _names_html(accept: str) -> bool:
    for named in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in named.split(";"))
        if kind == "text/html":
            return not any(parameter.replace(" ", "") in ("q=0", "q=0.0") for parameter in parameters)
    return False


class Routes:
    """A tree of path segments. Raises `ValueError` on two endpoints for one path."""

    def __init__(self, endpoints: Iterable[type[Endpoint]]) -> None:
        self._root = Node()
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: type[Endpoint]) -> None:
        parameters = endpoint.path_parameters()
        node = self._root
        for segment in endpoint.path.strip("/").split("/"):
            node = _child(node, segment, parameters)
        if node.endpoint is not None:
            raise ValueError(f"two endpoints for {endpoint.path}: {node.endpoint.__name__} and {endpoint.__name__}")
        node.endpoint = endpoint

    def find(self, path: str) -> Found | None:
        """Return the endpoint of a raw path, and its path parameters, percent-decoded once."""
        segments = [_decoded(segment) for segment in path.strip("/").split("/")]
        return _match(self._root, segments, 0, {})


def _decoded(segment: str) -> str:
    """Decode a segment. Bytes that are not UTF-8 become replacement characters, which no record contains."""
    return unquote_to_bytes(segment).decode(errors="replace") if "%" in segment else segment


def _child(node: Node, segment: str, parameters: Any) -> Node:
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, Node())
    parameter = parameters[segment[1:-1]]
    for known, _, child in node.parameters:
        if known == parameter:
            return child
    child = Node()
    node.parameters.append((parameter, parameter.regex, child))
    return child


def _match(node: Node, segments: list[str], place: int, values: dict[str, str]) -> Found | None:
    if place == len(segments):
        return (node.endpoint, values) if node.endpoint is not None else None
    segment = segments[place]
    literal = node.literals.get(segment)
    if literal is not None and (found := _match(literal, segments, place + 1, values)):
        return found
    for parameter, regex, child in node.parameters:
        if regex.fullmatch(segment) and (
            found := _match(child, segments, place + 1, {**values, parameter.name: segment})
        ):
            return found
    return None
