"""The texts of all pages: each comes from the catalogue, in languages of both directions."""

import ast
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import write_po

from flexiapi.files import shared
from flexiapi.model import Spaces
from flexiapi.panel.forms import Form
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.rendering import samples
from flexiapi.rendering.catalogues import Catalogue, read
from flexiapi.rendering.panel.samples import PANEL_PAGES
from flexiapi.rendering.renderer import Renderer
from flexiapi.services.names import NameRules
from flexiapi.settings import Settings, TemplateSettings
from flexiapi.web.parameters import Validated

ROOT = Path(__file__).parents[2]
PSEUDO = "en-XA"
OPEN, CLOSE = "⟦", "⟧"
WORD = re.compile(r"[^\W\d_]{2,}")
# What people read beside the text of elements.
SPOKEN = ("alt", "title", "placeholder", "aria-label")
# Not words of a language.
NEVER_READ = {"style", "script", "code", "pre", "kbd", "samp"}
IN_WORDS = ("duration", "moment", "date", "ago", "number")
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:[a-z]+-)*(?:left|right)(?:-[a-z]+)*\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right))"
)


class Said(HTMLParser):
    """The texts of a page that are seen or read out, and the attributes of its root."""

    def __init__(self, html):
        super().__init__()
        self.texts, self.open, self.root = [], [], {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "html":
            self.root = given
        self.texts += [given[name] for name in SPOKEN if given.get(name)]
        self.texts += [value for name, value in attrs if name.startswith("data-") and name.endswith("-text")]
        if tag not in ("br", "hr", "img", "input", "link", "meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data):
        if not NEVER_READ.intersection(self.open):
            self.texts.append(data)

    def outside(self):
        """The text outside of brackets."""
        kept, depth = [], 0
        for character in "\n".join(self.texts):
            depth += character == OPEN
            if not depth:
                kept.append(character)
            depth -= character == CLOSE
        assert depth == 0
        return "".join(kept)


def bracketed(text):
    return f"{OPEN}{text}{CLOSE}" if text.strip() else text


@pytest.fixture(scope="module")
def texts():
    """All texts of the catalogues."""
    return {one for message in read(shared("templates") / "fr" / "pages.po") for one in each(message.id)}


def each(text):
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    """A renderer with a language in which each text is in brackets, and values in words too."""
    own = tmp_path_factory.mktemp("own")
    catalog = read(shared("templates") / "fr" / "pages.po")
    for message in catalog:
        if message.id:
            brackets = tuple(map(bracketed, each(message.id)))
            message.string = brackets[0] if isinstance(message.id, str) else brackets
    (own / PSEUDO).mkdir()
    with (own / PSEUDO / "pages.po").open("wb") as file:
        write_po(file, catalog)
    renderer = Renderer(TemplateSettings(path=own), "Name", "Signature")
    filters = renderer._of_pages(PSEUDO).filters
    for name in IN_WORDS:
        filters[name] = in_brackets(filters[name])
    return renderer


def in_brackets(said):
    def wrapped(*arguments):
        return bracketed(said(*arguments))

    wrapped.jinja_pass_arg = said.jinja_pass_arg
    return wrapped


def data_of(value):
    """Yields the texts in a sample."""
    if isinstance(value, Enum):
        yield from data_of(value.value)
    elif isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from data_of(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for one in value.items():
            yield from data_of(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from data_of(one)


PAGES = [*(sample for sample in samples.PAGES if sample.folder != "docs"), *PANEL_PAGES]
NAMES = [f"{sample.folder}/{sample.name}-{place}" for place, sample in enumerate(PAGES)]


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_every_text_of_a_page_is_from_the_catalogue(pseudo, texts, sample):
    html = pseudo.page(sample, "Name", language=PSEUDO)
    names = {"Name", "flexiapi"}
    data = names | {word for text in data_of(sample) if text not in texts for word in WORD.findall(text)}
    untranslated = [word for word in WORD.findall(Said(html).outside()) if word not in data]
    assert not untranslated, f"not in `_()`, `{{% trans %}}` or `| said`: {untranslated}"


def test_a_text_outside_of_the_catalogue_would_be_found():
    said = Said(f"<p title='{OPEN}a{CLOSE}'>{OPEN}One <b>two</b>{CLOSE} three<code>four</code><img alt='five'></p>")
    assert WORD.findall(said.outside()) == ["three", "five"]


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A renderer with a language from right to left, beside the built-in ones."""
    own = tmp_path_factory.mktemp("own")
    (own / "he").mkdir()
    (own / "he" / "pages.po").write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n')
    return Renderer(TemplateSettings(path=own), "Name", "Signature")


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_every_page_is_there_in_french(turned, sample):
    english, french = (turned.page(sample, language=language) for language in ("en", "fr"))
    assert english != french
    assert Said(french).root == {"lang": "fr", "dir": "ltr"}


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_a_language_from_right_to_left_turns_the_page(turned, sample):
    assert Said(turned.page(sample, language="he")).root == {"lang": "he", "dir": "rtl"}


def styles():
    """Yields each style sheet of pages, with its file."""
    for folder in ("pages", "panel"):
        for path in sorted((shared("templates") / folder).rglob("*")):
            if path.suffix == ".css":
                yield path, path.read_text("utf-8")
            elif path.suffix == ".html":
                yield from (
                    (path, style) for style in re.findall(r"<style[^>]*>(.*?)</style>", path.read_text(), re.DOTALL)
                )


def test_styles_name_no_side_of_the_screen():
    there = list(styles())
    assert there
    assert [(path.name, found) for path, style in there for found in PHYSICAL.findall(style)] == []
    wrong = "a{margin-left:1px;text-align: right;left:0;border-top-left-radius:2px;float:left}"
    assert len(PHYSICAL.findall(wrong)) == 5
    assert not PHYSICAL.findall("a{margin-inline-start:1px;text-align:end;inset-inline-start:0;--left-over:1px}")


def forms():
    """All forms that pages declare."""
    assert PANEL_ENDPOINTS
    found, left = set(), [Form]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        found.add(kind)
    return sorted((one for one in found if one.__module__.startswith("flexiapi.")), key=lambda form: form.__qualname__)


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.__name__)
def test_every_text_of_a_form_is_in_the_catalogue(texts, form):
    said = {form.submit}
    for one in form.inputs().values():
        said |= {one.label, one.hint, *(choice.label for choice in one.choices)}
    assert {one for one in said if is_said(one)} - texts == set()


def is_said(text):
    """True if a text has words; names such as SHA-256 are the same in all languages."""
    return WORD.search(text) and text != text.upper()


# Calls whose texts people see, with the place or the name of the argument.
SEEN = {
    "frame": (0,),
    "FormLink": (1, "text"),
    "Choice": (1, "label"),
    "Input": (0, "label", "hint"),
    "error_page": (0, 1),
    "MessagePage": (1, "message"),
    "FormPage": ("lead",),
    "Note": (0,),
}


def unmarked(tree):
    """Yields the texts in such calls that no `marked` is around."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        places = SEEN.get(ast.unparse(call.func).rpartition(".")[2], ())
        given = dict(enumerate(call.args)) | {keyword.arg: keyword.value for keyword in call.keywords}
        for argument in (given[place] for place in places if place in given):
            inner = {id(one) for node in ast.walk(argument) if is_marked(node) for one in ast.walk(node)}
            for one in ast.walk(argument):
                is_text = isinstance(one, ast.Constant) and isinstance(one.value, str) and is_said(one.value)
                if is_text and id(one) not in inner and not isinstance(argument, ast.Compare):
                    yield one.value


def is_marked(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("marked", "self.frame")


def test_texts_in_the_code_of_pages_are_marked(texts):
    found = {}
    for path in sorted((ROOT / "flexiapi" / "panel").rglob("*.py")):
        if wrong := [text for text in unmarked(ast.parse(path.read_text("utf-8"))) if text not in texts]:
            found[path.name] = wrong
    assert found == {}
    assert list(unmarked(ast.parse('self.frame("Sign in"); FormLink("/a", marked("b c")); Choice("x", "Yes")'))) == [
        "Sign in",
        "Yes",
    ]


RULES = NameRules(Spaces.of(Settings()).default)
WRONG = ("", "x", "Ü" * 300, "-1", "+", "a b@c", "9" * 40, "2026-13-45", "\x01")


@pytest.fixture(scope="module")
def french():
    return Catalogue([read(shared("templates") / "fr" / "pages.po")])


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.__name__)
def test_errors_of_a_form_are_told_in_french_with_labels(french, form):
    for value in WRONG:
        errors = Validated(form, {name: value for name in form.model_fields if value}, RULES, {}).errors
        for field, texts in errors.items():
            for text in texts:
                assert french.told(text, field, "Champ").startswith("Champ\N{NO-BREAK SPACE}: "), text
