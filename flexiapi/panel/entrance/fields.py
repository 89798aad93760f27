"""Fields of the forms that need no session, and the check that a person sends them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qsl

from flexiapi.crypto.codes import joined
from flexiapi.errors import FieldErrors, MalformedRequest, ValidationFailed
from flexiapi.panel.forms import Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import FormView
from flexiapi.services.fields import Text
from flexiapi.web.operation import Segment

Token = Annotated[str, Segment(".+", "mI5wq3VmRtYc8nXe2LbZs0aTjHd7kPuG", "a token")]

NEW_PASSWORD = Input(marked("Password"), kind="password", autocomplete="new-password")
PASSWORD_AGAIN = Input(marked("Password, once more"), kind="password", autocomplete="new-password")

_MOST_FIELDS = 100


class TypedCode(Form):
    """A code, in any format, or its digits one by one."""

    code: Annotated[
        Text | None,
        Input(
            marked("Code"),
            kind="code",
            autocomplete="one-time-code",
            hint=marked("With or without blanks and hyphens"),
        ),
    ] = None
    number_1: Text | None = None
    number_2: Text | None = None
    number_3: Text | None = None
    number_4: Text | None = None

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Require a code."""
        if "code" not in errors and not values.get("code") and not values.get("number_1"):
            errors["code"] = ["code is missing"]

    @property
    def typed(self) -> str:
        """The code without blanks and hyphens."""
        digits = (self.number_1, self.number_2, self.number_3, self.number_4)
        return joined(self.code or "".join(digit or "" for digit in digits))


def check_same(values: Mapping[str, Any], errors: FieldErrors) -> None:
    """Require the same new password twice."""
    again = values.get("password_confirmation")
    if "password" in values and again is not None and again != values["password"]:
        errors["password_confirmation"] = ["password_confirmation differs from the password"]


def with_fields(form: FormView, names: Collection[str], required: Collection[str] = ()) -> FormView:
    """Return a form with some of its fields, of which some are required on this page."""
    fields = [
        replace(field, is_required=True) if field.name in required else field
        for field in form.fields
        if field.name in names
    ]
    return replace(form, fields=fields)


class PersonCheckedEndpoint(FormEndpoint):
    """The base class of the endpoints whose form has a captcha, where the settings have one."""

    async def check_person(self) -> None:
        """Raise `ValidationFailed` if the captcha was not solved, `HumanCheckUnavailable` if that cannot be told."""
        check = self.codes.human_check
        try:
            pairs = parse_qsl(self.request.body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise MalformedRequest from error
        if not await check.is_human(dict(pairs).get(check.response_field, ""), self.client):
            raise ValidationFailed({"captcha": ["Please solve the check first."]})
