"""Samples of the surroundings of pages, and of pages that any part of the panel may show."""

from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice, FieldView, FormView
from flexiapi.rendering.panel.frame import FormLink, FormPage, Frame, Languages, MessagePage, Note, PanelPage, Visitor

TOKEN = "0c7b1f0a"  # noqa: S105  # a sample
ADDRESS = "alice.martin@sip.example.org"
BUTTON = FormView("/logout", TOKEN, marked("Sign out"))

LANGUAGES = Languages(FormView("/language", TOKEN, ""), [("en", "English"), ("fr", "Français")], "en")

VISITOR = Visitor(ADDRESS, is_admin=True, is_limited=False, sign_out=BUTTON)

# Without a session, and with one.
ENTRANCE = Frame(marked("Sign in"), "bm9uY2U", "", "/login", 215, None, "/assets/panel.css?v=1", "/assets/panel.js?v=1")
FRAME = Frame(
    marked("My account"),
    "bm9uY2U",
    "/accounts",
    "/dashboard",
    215,
    "/assets/logo",
    "/assets/panel.css?v=1",
    "/assets/panel.js?v=1",
    VISITOR,
    Note(marked("You are signed out."), 3),
    [("/dashboard", marked("My account"))],
    LANGUAGES,
)

FIELDS = (
    FieldView("text", "A text", hint="As on a letter", value="Alice", is_required=True, errors=["text is missing"]),
    FieldView("email", "E-mail address", "email", autocomplete="email"),
    FieldView("secret", "Password", "password", autocomplete="current-password", is_required=True),
    FieldView("code", "Code", "code", autocomplete="one-time-code", is_required=True),
    FieldView("yes", "Yes", "checkbox", value="true"),
    FieldView("one", "One of", "select", value="b", choices=[Choice("a", "A"), Choice("b", "B")]),
    FieldView("radio", "One of", "radios", value="b", choices=[Choice("a", "A"), Choice("b", "B")]),
    FieldView("some", "Some of", "checkboxes", selected=["a"], choices=[Choice("a", "A"), Choice("b", "B")]),
    FieldView("long", "Long", "textarea", value="x"),
    FieldView("hidden", "", "hidden", value="x"),
)
FORM = FormView("/authenticate", TOKEN, marked("Continue"), FIELDS, "Too many requests. Try again in 5 s.")

PAGES: tuple[PanelPage, ...] = (
    FormPage(ENTRANCE, FORM, ["A paragraph."], [FormLink("/login", marked("Sign in"))]),
    FormPage(FRAME, FormView("/delete", TOKEN, marked("Continue"), is_dangerous=True)),
    MessagePage(FRAME, "This is not allowed.", [FormLink("/login", marked("Sign in"))]),
)
