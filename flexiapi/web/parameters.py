"""Request parameters: reading, normalisation, validation, and error messages."""

import json
from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, NoReturn, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from flexiapi.errors import FieldErrors, MalformedRequest, ValidationFailed, Violations

Raw = dict[str, Any]

_UNTRIMMED = frozenset({"password", "password_confirmation", "old_password", "current_password"})
_WORDS = {"true": True, "false": False}
_MOST_FIELDS = 100
_LONGEST_NUMBER = 1000
_LAST_SPACE = 0x3000
_TRIMMED = "\ufeff\u200b" + "".join(c for c in map(chr, range(_LAST_SPACE + 1)) if c.isspace())

_TEXTS = {
    "missing": "{field} is missing",
    "string_type": "{field} must be a string",
    "int_type": "{field} must be a number",
    "int_parsing": "{field} must be a number",
    "int_from_float": "{field} must be a whole number",
    "greater_than_equal": "{field} must be at least {ge}",
    "less_than_equal": "{field} must be at most {le}",
    "string_too_short": "{field} must have at least {min_length} characters",
    "string_too_long": "{field} must have at most {max_length} characters",
    "string_pattern_mismatch": "{field} has an invalid form",
    "enum": "{field} must be {expected}",
    "literal_error": "{field} must be {expected}",
}


class Params(BaseModel):
    """The parameters of one endpoint. Unknown ones are ignored; an absent one, `null` and `""` mean the same."""

    # The validator is made at its first use: a process uses few of all.
    model_config = ConfigDict(extra="ignore", frozen=True, regex_engine="python-re", defer_build=True)
    aliases: ClassVar[Mapping[str, str]] = {}
    # For a change of what is named: the parameters that `null` clears. It is an error for the others.
    clearable: ClassVar[frozenset[str] | None] = None
    # Whether they are a form of a page, which must come from that page.
    is_form: ClassVar[bool] = False

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Check rules over several parameters; `values` has the valid ones. Add to `errors`."""

    @classmethod
    @cache
    def flags(cls) -> frozenset[str]:
        """Return the names of the parameters that are true or false."""
        return frozenset(name for name, field in cls.model_fields.items() if _is_flag(field.annotation))

    @classmethod
    @cache
    def lists(cls) -> frozenset[str]:
        """Return the names of the parameters that may be sent several times."""
        return frozenset(name for name, field in cls.model_fields.items() if get_origin(field.annotation) is tuple)

    @classmethod
    @cache
    def names(cls) -> frozenset[str]:
        """Return the names and aliases of the parameters."""
        return frozenset(cls.model_fields) | frozenset(cls.aliases)


def read(model: type[Params], body: bytes, content_type: str, query: str) -> tuple[Raw, FieldErrors]:
    """Return the parameters that the model knows, normalised, and errors by field that precede all rules.

    Parameters of the body override those of the query. Raises `MalformedRequest`.
    """
    raw: Raw = {}
    if query:
        raw.update(_with_flags(model, _form(query, model.lists())))
    if body:
        raw.update(_of_body(model, body, content_type))
    errors: FieldErrors = {}
    known = _normalised({name: raw[name] for name in model.names() & raw.keys()}, errors)
    cleared: frozenset[str] = frozenset()
    if model.clearable is not None:
        empty = {name for name, value in known.items() if value is None} - errors.keys()
        cleared = model.clearable & empty
        errors |= {name: [f"{name} cannot be removed"] for name in empty - cleared}
    return {name: value for name, value in known.items() if value is not None or name in cleared}, errors


def _is_flag(annotation: Any) -> bool:
    return annotation is bool or any(map(_is_flag, get_args(annotation)))


def _with_flags(model: type[Params], form: Raw) -> Raw:
    """Return a form in which flags may be the words `true` and `false`: it has no other way to send a boolean."""
    for name in model.flags() & form.keys():
        form[name] = _WORDS.get(form[name], form[name])
    return form


def _of_body(model: type[Params], body: bytes, content_type: str) -> Raw:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.endswith(("/json", "+json")) and not model.is_form:
        return _json_object(body)
    if media_type == "application/x-www-form-urlencoded":
        return _with_flags(model, _form(body.decode("utf-8", "surrogateescape"), model.lists()))
    return {}


def _json_object(body: bytes) -> Raw:
    if not body.strip():
        return {}
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_int=_whole_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("The body is no valid JSON.") from error
    if not isinstance(value, dict):
        raise MalformedRequest
    return value


def _whole_number(digits: str) -> int:
    """Read a number. Python refuses very long ones; they are invalid for every parameter, so their start suffices."""
    return int(digits[:_LONGEST_NUMBER])


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _form(text: str, lists: Collection[str]) -> Raw:
    most = _MOST_FIELDS * 2 if lists else _MOST_FIELDS
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=most)
    except ValueError as error:
        raise MalformedRequest(f"There are more than {most} parameters.") from error
    return dict(pairs) | {
        name: [value for key, value in pairs if key == name] for name in {n for n, _ in pairs} & {*lists}
    }


def _normalised(raw: Raw, errors: FieldErrors) -> Raw:
    for name, value in raw.items():
        if not isinstance(value, str):
            continue
        if not _is_encodable(value):
            errors[name] = [f"{name} is no valid UTF-8 text"]
            raw[name] = None
            continue
        text = value if name in _UNTRIMMED else value.strip(_TRIMMED)
        raw[name] = text or None
    return raw


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Validated:
    """The result of the syntactic rules: the valid values, and the errors of the others."""

    def __init__(self, model: type[Params], raw: Raw, context: object, errors: FieldErrors) -> None:
        self.model = model
        self.raw = raw
        self.errors = errors
        self.values: Mapping[str, Any] = {}
        self.params: Params | None = None
        self._sent = {name: alias for alias, name in model.aliases.items() if alias in raw or alias in errors}
        raw = _with_aliases(model, raw)
        try:
            self.params = model.model_validate(raw, context=context)
            self.values = dict(self.params)
        except ValidationError as error:
            self._collect(error)
            self.values = self._right_ones(raw, context)
        model.cross_check(self.values, self.errors)

    def _right_ones(self, raw: Raw, context: object) -> Raw:
        values: Raw = {}
        for name in raw.keys() & self.model.model_fields.keys():
            if self._sent.get(name, name) in self.errors:
                continue
            try:
                values[name] = _adapter(self.model, name).validate_python(raw[name], context=context)
            except ValidationError as error:
                self._collect(error, name)
        return values

    def _collect(self, error: ValidationError, name: str | None = None) -> None:
        """Add the errors of a validation, under the names that the client used."""
        for detail in error.errors(include_url=False, include_input=False):
            known = name or str(detail["loc"][0])
            field = self._sent.get(known, known)
            texts = self.errors.setdefault(field, [])
            texts.extend(text for text in _texts(detail, field) if text not in texts)

    def result(self) -> Params:
        """Return the parameters. Raises `ValidationFailed` with the errors in the order of the declaration."""
        if self.errors or self.params is None:
            order = {self._sent.get(name, name): place for place, name in enumerate(self.model.model_fields)}
            raise ValidationFailed(dict(sorted(self.errors.items(), key=lambda item: order.get(item[0], len(order)))))
        return self.params


@cache
def _adapter(model: type[Params], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    annotation: Any = field.annotation
    for piece in field.metadata:
        annotation = Annotated[annotation, piece]
    return TypeAdapter(annotation)


def _with_aliases(model: type[Params], raw: Raw) -> Raw:
    """Return the parameters with aliases resolved. An alias overrides the name that it stands for."""
    for alias, name in model.aliases.items():
        if alias in raw:
            raw = {**raw, name: raw[alias]}
    return raw


def _texts(detail: ErrorDetails, field: str) -> list[str]:
    context = detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Violations):
        return [text.format(field=field) for text in cause.texts]
    template = _TEXTS.get(detail["type"], "{field} has an invalid value")
    return [template.format(field=field, **{key: value for key, value in context.items() if key != "field"})]
