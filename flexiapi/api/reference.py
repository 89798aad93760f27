"""Lays the OpenAPI document out as the sections of the documentation page."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flexiapi.rendering.reference import Endpoint, Failure, Parameter, ReferenceSection
from flexiapi.web.schemas import Schema, alternatives


class Reference:
    """Reads a document; `is_enabled` knows of optional endpoints, by path and verb, whether they are on."""

    def __init__(self, document: Mapping[str, Any], is_enabled: Callable[[str, str], bool]) -> None:
        self._document = document
        self._is_enabled = is_enabled

    def sections(self) -> list[ReferenceSection]:
        """All endpoints, by resource."""
        return [
            ReferenceSection(_anchor(tag["name"]), tag["name"], tag["description"], list(self._endpoints(tag["name"])))
            for tag in self._document["tags"]
        ]

    def _endpoints(self, tag: str) -> Iterator[Endpoint]:
        for path, verbs in self._document["paths"].items():
            for verb, operation in verbs.items():
                if tag in operation["tags"]:
                    yield self._endpoint(path, verb, operation)

    def _endpoint(self, path: str, verb: str, operation: Mapping[str, Any]) -> Endpoint:
        status, success = next(iter(operation["responses"].items()))
        media_type, content = next(iter(success["content"].items()))
        return Endpoint(
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
            failures=[Failure(*failure) for failure in operation["x-failures"].items()],
        )


def _of_address(operation: Mapping[str, Any]) -> Iterator[Parameter]:
    for parameter in operation["parameters"]:
        if parameter.get("in") in ("path", "query"):
            schema, example = parameter["schema"], _short(parameter["example"])
            kind, required = _kind(schema), parameter["required"]
            yield Parameter(parameter["name"], parameter["in"], kind, required, parameter["description"], example)


def _of_body(operation: Mapping[str, Any]) -> Iterator[Parameter]:
    if "requestBody" not in operation:
        return
    content = operation["requestBody"]["content"]["application/json"]
    schema, example = content["schema"], content["example"]
    for name, field in schema["properties"].items():
        plain, _ = alternatives(field)
        yield Parameter(
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
