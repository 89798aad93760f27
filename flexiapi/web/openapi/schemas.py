"""JSON schemas of parameters and answers, collected by name, and examples derived from them."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from flexiapi.web.parameters import Params

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

_REFERENCE = "#/components/schemas/"
_BY_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_TYPES: Mapping[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Schemas:
    """The schemas of a document. Raises `ValueError` for two different schemas of one name."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of_answer(self, kind: Any) -> Schema:
        """Return the schema of an answer."""
        return self._gathered(TypeAdapter(kind), "serialization")

    def of_params(self, model: type[Params]) -> Schema:
        """Return the schema of parameters, including aliases, without references."""
        schema = dict(self.resolved(self._gathered(TypeAdapter(model), "validation")))
        for alias, name in model.aliases.items():
            field = {**schema["properties"][name], "description": f"the same as `{name}`", "x-alias-of": name}
            schema["properties"] = {**schema["properties"], alias: field}
            if name in schema.get("required", ()):
                schema["required"] = [other for other in schema["required"] if other != name]
                schema["anyOf"] = [{"required": [name]}, {"required": [alias]}]
        return {key: value for key, value in schema.items() if value != []}

    def resolved(self, schema: Schema) -> Schema:
        """Return the schema that a reference points to, or the schema itself."""
        reference = schema.get("$ref")
        return self.definitions[reference.removeprefix(_REFERENCE)] if reference else schema

    def _gathered(self, adapter: TypeAdapter[Any], mode: Mode) -> Schema:
        found, document = TypeAdapter.json_schemas([("", mode, adapter)], ref_template=_REFERENCE + "{model}")
        for name, definition in _without_titles(document.get("$defs", {})).items():
            if self.definitions.setdefault(name, definition) != definition:
                raise ValueError(f"two schemas are named {name}")
        schema: Schema = _without_titles(found["", mode])
        return schema


def alternatives(schema: Schema) -> tuple[Schema, bool]:
    """Return the schema without the alternative `null`, and whether `null` is allowed."""
    options = schema.get("anyOf")
    if not options or "type" in schema:
        return schema, False
    real = [option for option in options if option.get("type") != "null"]
    return ({**schema, **real[0]} if real else schema), len(real) < len(options)


class Examples:
    """Source of examples: those that a schema contains, then those of parameters with the same name."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._named: dict[str, Any] = {}

    def learn(self, schema: Schema) -> None:
        """Remember the examples of parameters."""
        for name, field in schema.get("properties", {}).items():
            if "x-alias-of" in field:
                continue
            plain, _ = alternatives(field)
            for example in plain.get("examples", ())[:1]:
                self._named.setdefault(name, example)

    def of(self, schema: Schema, name: str = "") -> Any:
        """Return an example that fits the schema."""
        for known in _stated(schema):
            return known
        plain, is_nullable = alternatives(schema)
        for known in _stated(plain):
            return known
        known = self._named.get(name)
        if known is not None and _TYPES.get(type(known)) == plain.get("type"):
            return known
        return None if is_nullable else self._made(self._schemas.resolved(plain))

    def _made(self, schema: Schema) -> Any:
        for known in _stated(schema):
            return known
        kind = schema.get("type")
        if kind == "object":
            fields = schema.get("properties", {}).items()
            return {name: self.of(field, name) for name, field in fields if "x-alias-of" not in field}
        if kind == "array":
            return [self.of(schema["items"])] if schema.get("items") else []
        return _BY_TYPE.get(str(kind))


def _stated(schema: Schema) -> Iterator[Any]:
    yield from schema.get("examples", ())[:1]
    if "const" in schema:
        yield schema["const"]
    yield from schema.get("enum", ())[:1]


def _without_titles(schema: Any) -> Any:
    """Remove titles, which repeat the names of fields."""
    if isinstance(schema, dict):
        return {
            name: _without_titles(part)
            for name, part in schema.items()
            if not (name == "title" and isinstance(part, str))
        }
    return [_without_titles(part) for part in schema] if isinstance(schema, list) else schema
