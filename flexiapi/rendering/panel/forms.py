"""Forms as their templates see them. Labels, hints and errors are English texts, which templates translate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Choice(NamedTuple):
    """A value of a field that has several to choose from."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of a form.

    Attributes:
        name: its parameter, and with the prefix `field-` the id of its element.
        kind: `text`, `email`, `tel`, `url`, `search`, `date`, `password`, `code`, `key`, `checkbox`, `checkboxes`,
            `select`, `radios`, `textarea` or `hidden`.
        value: the text in it; never a password.
        errors: English texts, each beginning with the name of the field.
        selected: the values of `checkboxes` that are ticked.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    autocomplete: str = "off"
    value: str = field(default="", repr=False)
    is_required: bool = False
    errors: Sequence[str] = ()
    choices: Sequence[Choice] = ()
    selected: Sequence[str] = ()

    @property
    def anchor(self) -> str:
        """The id of the element to which the error summary leads."""
        is_group = self.kind in ("radios", "checkboxes") and self.choices
        return f"field-{self.name}-0" if is_group else f"field-{self.name}"


class Problem(NamedTuple):
    """A line of the error summary: the field to which it leads, if there is one, and the English text."""

    field: FieldView | None
    text: str


@dataclass(frozen=True, slots=True)
class FormView:
    """A form of a page.

    Attributes:
        action: the path that it is posted to, below the root of the panel.
        token: the proof that it came from a page of ours in this browser.
        submit: the text on its button.
        message: an error that belongs to no field.
        is_dangerous: the button warns.
    """

    action: str
    token: str = field(repr=False)
    submit: str
    fields: Sequence[FieldView] = ()
    message: str | None = None
    is_dangerous: bool = False

    def __getitem__(self, name: str) -> FieldView:
        """Return a field, for templates that place fields themselves. Raises `KeyError`."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(name)

    @property
    def problems(self) -> Sequence[Problem]:
        """The lines of the error summary; empty without an error."""
        return list(self._problems())

    def _problems(self) -> Iterator[Problem]:
        visible = [one for one in self.fields if one.kind != "hidden"]
        if self.message:
            yield Problem(visible[0] if visible else None, self.message)
        for one in self.fields:
            for text in one.errors:
                yield Problem(one, text)
