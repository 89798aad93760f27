"""The texts of all pages: each comes from the catalogue, in languages of both directions."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from html.parser import HTMLParser

import pytest
from babel.messages.pofile import write_po

from flexiapi.files import shared
from flexiapi.rendering import samples
from flexiapi.rendering.catalogues import read
from flexiapi.rendering.renderer import Renderer
from flexiapi.settings import TemplateSettings

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


PAGES = [sample for sample in samples.PAGES if sample.folder != "docs"]
NAMES = [f"{sample.folder}/{sample.name}-{place}" for place, sample in enumerate(PAGES)]


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_every_text_of_a_page_is_from_the_catalogue(pseudo, texts, sample):
    html = pseudo.page(sample, "Name", language=PSEUDO)
    data = {word for text in data_of(sample) if text not in texts for word in WORD.findall(text)}
    untranslated = [word for word in WORD.findall(Said(html).outside()) if word not in data | {"Name"}]
    assert not untranslated, f"not in `_()`, `{{% trans %}}` or `| said`: {untranslated}"


def test_a_text_outside_of_the_catalogue_would_be_found():
    said = Said(f"<p title='{OPEN}a{CLOSE}'>{OPEN}One <b>two</b>{CLOSE} three<code>four</code><img alt='five'></p>")
    assert WORD.findall(said.outside()) == ["three", "five"]


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_every_page_is_there_in_french(sample):
    renderer = Renderer(TemplateSettings(), "Name", "Signature")
    english, french = (renderer.page(sample, language=language) for language in ("en", "fr"))
    assert english != french
    assert Said(french).root == {"lang": "fr", "dir": "ltr"}


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_a_language_from_right_to_left_turns_the_page(tmp_path, sample):
    (tmp_path / "he").mkdir()
    (tmp_path / "he" / "pages.po").write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n')
    renderer = Renderer(TemplateSettings(path=tmp_path), "Name", "Signature")
    assert Said(renderer.page(sample, language="he")).root == {"lang": "he", "dir": "rtl"}


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
