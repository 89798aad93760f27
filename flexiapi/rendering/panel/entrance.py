"""Pages of the panel that need no session."""

from dataclasses import dataclass
from typing import ClassVar

from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import PanelPage


@dataclass(frozen=True, slots=True)
class LoginPage(PanelPage):
    """The sign-in form.

    Attributes:
        registers: people may register.
        has_phone: people may recover their account by phone.
        command: the command that makes the first administrator; `None` when there is one.
    """

    name: ClassVar[str] = "login"

    form: FormView
    registers: bool = False
    has_phone: bool = False
    command: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmPage(PanelPage):
    """The form that asks for the password once more; an account without one signs in by code again."""

    name: ClassVar[str] = "confirm"

    form: FormView
    has_password: bool = True
