"""The choice of the language of pages: its cookie and its form."""

from typing import Annotated, ClassVar

from flexiapi.language_tags import is_tag
from flexiapi.panel.forms import Input, PublicForm
from flexiapi.rendering.catalogues import marked
from flexiapi.services.fields import LanguageTag, Text
from flexiapi.web.identity import cookie

COOKIE = "flexiapi-language"
PREFIXES = ("__Host-", "")
"""Of the cookie over TLS, and without it."""


class LanguageForm(PublicForm):
    """The form at the foot of every page, with a button for each language."""

    submit: ClassVar[str] = marked("Change the language")

    language: Annotated[LanguageTag, Input(marked("Language"), kind="select")]
    next: Annotated[Text | None, Input("", kind="hidden")] = None


def chosen(cookies: str) -> list[str]:
    """Return the language that a browser's cookies say was chosen: one, or none. It may be one that there is not."""
    found = [cookie(cookies, f"{prefix}{COOKIE}") for prefix in PREFIXES] if COOKIE in cookies else []
    return [tag for tag in found if is_tag(tag)][:1]
