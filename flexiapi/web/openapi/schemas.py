"""JSON schemas of parameters and answers, collected by name, and examples derived from them."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import TypeAdapter

from flexiapi.web.parameters import Params

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

_REFERENCE = "#/components/schemas/"
_BY_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_BOUNDS = frozenset({"enum", "pattern", "minLength"})
_TYPES: Mapping[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Schemas:
    """The schemas of a document. Raises `ValueError` for two different schemas of one name.

    `shortest` has the least lengths of texts by the name of their setting.
    """

    def __init__(self, shortest: Mapping[str, int] = MappingProxyType({})) -> None:
        self.definitions: dict[str, Schema] = {}
        self._shortest = shortest

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
        schema = self._bounded(schema)
        return {key: value for key, value in schema.items() if value != []}

    def _bounded(self, schema: Schema) -> Schema:
        """Say how short each text may be: a needed one cannot be empty, which is the same as absent."""
        if "properties" not in schema:
            return schema
        fields = dict(schema["properties"])
        for name, field in fields.items():
            setting = field.get("x-shortest")
            if setting is not None:
                kept = {key: value for key, value in field.items() if key != "x-shortest"}
                fields[name] = {**kept, "minLength": max(self._shortest.get(setting, 1), field["minLength"])}
            elif name in schema.get("required", ()) and field.get("type") == "string" and not _BOUNDS & field.keys():
                fields[name] = {**field, "minLength": 1}
        return {**schema, "properties": fields}

    def resolved(self, schema: Schema) -> Schema:
        """Return the schema that a reference points to, or the schema itself."""
        reference = schema.get("$ref")
        return self.definitions[reference.removeprefix(_REFERENCE)] if reference else schema

    def _gathered(self, adapter: TypeAdapter[Any], mode: Mode) -> Schema:
        found, document = TypeAdapter.json_schemas([("", mode, adapter)], ref_template=_REFERENCE + "{model}")
        for name, found_definition in _simplified(document.get("$defs", {})).items():
            definition = self._bounded(found_definition) if mode == "validation" else found_definition
            if self.definitions.setdefault(name, definition) != definition:
                raise ValueError(f"two schemas are named {name}")
        schema: Schema = _simplified(found["", mode])
        return schema


def alternatives(schema: Schema) -> tuple[Schema, bool]:
    """Return the schema without the alternative `null`, and whether `null` is allowed."""
    if isinstance(schema.get("type"), list):
        (kind,) = (kind for kind in schema["type"] if kind != "null")
        plain = {**schema, "type": kind}
        if "enum" in schema:
            plain["enum"] = [one for one in schema["enum"] if one is not None]
        return plain, True
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


def _simplified(schema: Any) -> Any:
    """Remove titles, which repeat the names of fields, and write `null` as a second type instead of a second schema."""
    if isinstance(schema, dict):
        parts = {
            name: _simplified(part)
            for name, part in schema.items()
            if not (name == "title" and isinstance(part, str)) and not (name == "default" and part is None)
        }
        return _with_null_as_type(parts)
    return [_simplified(part) for part in schema] if isinstance(schema, list) else schema


def _with_null_as_type(schema: Schema) -> Schema:
    plain, is_nullable = alternatives(schema)
    kind = plain.get("type")
    if "anyOf" not in schema or not is_nullable or not isinstance(kind, str):
        return schema
    # What is said of the field counts before what its type says.
    merged = {**{key: value for key, value in plain.items() if key != "anyOf"}, "type": [kind, "null"]}
    merged.update((key, value) for key, value in schema.items() if key != "anyOf")
    if "enum" in merged:
        merged["enum"] = [*merged["enum"], None]
    return merged
