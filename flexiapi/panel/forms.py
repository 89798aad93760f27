"""Forms of pages: their declaration, and their views with what was typed and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar, get_args

from flexiapi.errors import ApiError, FreshCheckRequired, ValidationFailed
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice, FieldView, FormView
from flexiapi.services.fields import Text
from flexiapi.web.parameters import Params

TOKEN = "form_token"  # noqa: S105  # the name of a field
CURRENT_PASSWORD = "current_password"  # noqa: S105  # the name of a field


@dataclass(frozen=True, slots=True)
class Input:
    """The look of a field: the last annotation of its type, `Annotated[Email | None, Input("E-mail address")]`.

    `label`, `hint` and the labels of `choices` are English texts in `marked`. `kind` and `autocomplete` are those of
    `FieldView`. `is_needed` marks a field without which the form is refused although its type allows that.
    """

    label: str
    kind: str = "text"
    hint: str = ""
    autocomplete: str = "off"
    choices: tuple[Choice, ...] = ()
    is_needed: bool = False


class Form(Params):
    """A form of a page, whose fields are annotated with `Input`. Fields without one are not shown.

    `submit` is the English text on its button. A form is `public` when it is sent without a session.
    """

    is_form: ClassVar[bool] = True
    submit: ClassVar[str] = marked("Continue")
    public: ClassVar[bool] = False
    is_dangerous: ClassVar[bool] = False

    form_token: Text | None = None
    current_password: Text | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **_kwargs: Any) -> None:
        """Refuse a field whose look would be lost: in a union, pydantic does not show the annotation of a member."""
        for name, info in cls.model_fields.items():
            if any(isinstance(one, Input) for member in get_args(info.annotation) for one in get_args(member)[1:]):
                raise TypeError(f"{cls.__name__}.{name}: write Annotated[TYPE | None, Input(...)]")

    @classmethod
    @cache
    def inputs(cls) -> Mapping[str, Input]:
        """Return the fields that are shown, in the order of their declaration."""
        return {name: one for name, info in cls.model_fields.items() for one in info.metadata if isinstance(one, Input)}


class PublicForm(Form):
    """A form that is sent without a session."""

    public: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Filled:
    """The content of a form that was sent, and its errors.

    `message` is an error that belongs to no field. With `asks_password` the form has a field for the current password.
    """

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    message: str | None = None
    asks_password: bool = False

    @classmethod
    def after(cls, error: ApiError, values: Mapping[str, Any]) -> "Filled":
        """Return a form that failed."""
        if isinstance(error, ValidationFailed):
            return cls(values, error.errors, asks_password=CURRENT_PASSWORD in error.errors)
        return cls(values, message=error.message, asks_password=isinstance(error, FreshCheckRequired))


EMPTY = Filled()


def view(
    form: type[Form],
    action: str,
    token: str,
    filled: Filled,
    initial: Mapping[str, Any],
    choices: Mapping[str, Sequence[Choice]],
) -> FormView:
    """Return a form with what was typed, or else with `initial` values; `choices` are those that depend on data."""
    shown = dict(form.inputs())
    if filled.asks_password:
        shown[CURRENT_PASSWORD] = _PASSWORD
    values = filled.values if filled is not EMPTY else initial
    fields = [_field(form, name, one, values.get(name), filled, choices.get(name)) for name, one in shown.items()]
    stray = [text for name, texts in filled.errors.items() if name not in shown for text in texts]
    message = filled.message or (stray[0] if stray else None)
    return FormView(action, token, form.submit, fields, message, form.is_dangerous)


_PASSWORD = Input(marked("Your password"), kind="password", autocomplete="current-password")


def _field(
    form: type[Form], name: str, one: Input, value: Any, filled: Filled, choices: Sequence[Choice] | None
) -> FieldView:
    listed = isinstance(value, list | tuple)
    shown = FieldView(
        name,
        one.label,
        one.kind,
        one.hint,
        one.autocomplete,
        is_required=one.is_needed or form.model_fields[name].is_required() or name == CURRENT_PASSWORD,
        errors=tuple(filled.errors.get(name, ())),
        choices=one.choices if choices is None else choices,
        selected=tuple(map(str, value)) if listed else (),
    )
    if value is None or listed or one.kind == "password":
        return shown
    return replace(shown, value=_text(value))


def _text(value: Any) -> str:
    return ("true" if value else "") if isinstance(value, bool) else str(value)
