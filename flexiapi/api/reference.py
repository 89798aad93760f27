"""The API document and its page, made from the declarations of the endpoints."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flexiapi.api.lives import lives
from flexiapi.model import Space
from flexiapi.rendering.pages import DocumentationPage
from flexiapi.rendering.reference import ReferenceEndpoint, ReferenceFailure, ReferenceParameter, ReferenceSection
from flexiapi.rendering.renderer import Renderer
from flexiapi.settings import Settings
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.exchange import Exchange
from flexiapi.web.openapi import document_of
from flexiapi.web.openapi.schemas import Schema, alternatives


class Documentation:
    """The document and the page of each space, made once, at the first request."""

    def __init__(self, endpoints: Sequence[type[Endpoint]], renderer: Renderer, settings: Settings) -> None:
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}
        self._renderer = renderer
        self._lives = lives(settings)
        self._documents: dict[str, bytes] = {}
        self._pages: dict[str, Sequence[bytes]] = {}

    def document(self, space: Space) -> bytes:
        """Return the OpenAPI document of a space as JSON."""
        if space.domain not in self._documents:
            document = document_of(self._endpoints.values(), space.url, space.names.shortest)
            self._documents[space.domain] = json.dumps(document, ensure_ascii=False).encode()
        return self._documents[space.domain]

    def page(self, nonce: str, exchange: Exchange, space: Space) -> bytes:
        """Return the page of a space, with the nonce of its style and script."""
        if space.domain not in self._pages:
            # Only the nonce differs between requests, so the page is split at the nonce.
            mark = secrets.token_hex(16)
            document = json.loads(self.document(space))
            sections = Reference(document, lambda path, verb: self._is_on(exchange, path, verb)).sections()
            page = DocumentationPage(mark, space.url, space.domain, sections, self._lives)
            self._pages[space.domain] = self._renderer.page(page, space.name).encode().split(mark.encode())
        return nonce.encode().join(self._pages[space.domain])

    def _is_on(self, exchange: Exchange, path: str, verb: str) -> bool:
        switch = self._endpoints[path].operations[verb].switch
        return switch is None or switch.on(exchange)


class Reference:
    """Reader of an API document. `is_enabled` returns by path and verb whether an optional operation is enabled."""

    def __init__(self, document: Mapping[str, Any], is_enabled: Callable[[str, str], bool]) -> None:
        self._document = document
        self._is_enabled = is_enabled

    def sections(self) -> list[ReferenceSection]:
        """Return all operations, by resource."""
        return [
            ReferenceSection(_anchor(tag["name"]), tag["name"], tag["description"], list(self._endpoints(tag["name"])))
            for tag in self._document["tags"]
        ]

    def _endpoints(self, tag: str) -> Iterator[ReferenceEndpoint]:
        for path, verbs in self._document["paths"].items():
            for verb, operation in verbs.items():
                if tag in operation["tags"]:
                    yield self._endpoint(path, verb, operation)

    def _endpoint(self, path: str, verb: str, operation: Mapping[str, Any]) -> ReferenceEndpoint:
        status, success = next(iter(operation["responses"].items()))
        media_type, content = next(iter(success["content"].items()))
        return ReferenceEndpoint(
            anchor=operation["operationId"],
            method=verb.upper(),
            path=path,
            access=operation["x-access"],
            summary=operation["summary"],
            description=operation["description"] if operation["description"] != operation["summary"] else "",
            is_enabled=self._is_enabled(path, verb) if operation["x-optional"] else None,
            parameters=[*_of_address(operation), *_of_body(operation)],
            call=operation["x-codeSamples"][0]["source"],
            status=status,
            media_type=media_type,
            answer=_shown(content["example"]) if "example" in content else None,
            failures=[ReferenceFailure(*failure) for failure in operation["x-failures"].items()],
        )


def _of_address(operation: Mapping[str, Any]) -> Iterator[ReferenceParameter]:
    for parameter in operation["parameters"]:
        if parameter.get("in") in ("path", "query"):
            schema, example = parameter["schema"], _short(parameter["example"])
            kind, required = _kind(schema), parameter["required"]
            yield ReferenceParameter(
                parameter["name"], parameter["in"], kind, required, parameter["description"], example
            )


def _of_body(operation: Mapping[str, Any]) -> Iterator[ReferenceParameter]:
    if "requestBody" not in operation:
        return
    (content,) = operation["requestBody"]["content"].values()
    schema, example = content["schema"], content["example"]
    for name, field in schema["properties"].items():
        plain, _ = alternatives(field)
        yield ReferenceParameter(
            name,
            "body",
            _kind(plain),
            name in schema.get("required", ()),
            plain.get("description", ""),
            _short(example.get(name)),
        )


def _kind(schema: Schema) -> str:
    if schema.get("type") == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    if "enum" in schema:
        return "boolean" if True in schema["enum"] else " or ".join(schema["enum"])
    return str(schema.get("type", "any"))


def _short(example: Any) -> str:
    return example if isinstance(example, str) else "" if example is None else json.dumps(example, ensure_ascii=False)


def _shown(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=2)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
