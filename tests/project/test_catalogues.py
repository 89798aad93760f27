"""The catalogues of pages: what `make catalogues` gathers, and that the French one is complete."""

import ast
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

from flexiapi.errors import ApiError
from flexiapi.files import shared
from flexiapi.rendering.catalogues import Catalogue, read
from flexiapi.web.parameters import _TEXTS

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
FILES = sorted(shared("templates").glob("*/pages.po"))
PLACES = re.compile(r"%\(\w+\)[a-z]|%%|\{\w+\}")
TAGS = re.compile(r"<[^>]*>")
# Spaces before signs, and the apostrophe, are those of the head of the catalogue.
BAD_TYPOGRAPHY = re.compile(r" [:;!?](?!\w)|[^\s\N{NO-BREAK SPACE}]:(?= )|'|\.\.\.")


@pytest.fixture(scope="module")
def tool():
    return runpy.run_path(str(ROOT / ".ci" / "catalogues"))


@pytest.fixture(scope="module")
def texts(tool):
    return {message.id for message in tool["gathered"]() if message.id}


@pytest.fixture(scope="module")
def french():
    return read(shared("templates") / "fr" / "pages.po")


def each(text):
    return (text,) if isinstance(text, str) else tuple(text or ("",))


def translated(catalog):
    """Yields the entries with each translation beside each text that it may be of."""
    for message in catalog:
        if message.id:
            for string in each(message.string):
                yield message, each(message.id), string


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_catalogue_has_exactly_the_texts_that_there_are(tool, file):
    assert tool["written"](file).decode() == file.read_text("utf-8"), "run `make catalogues`"


def test_every_text_has_a_french_translation(french, texts):
    there = {message.id for message, _, string in translated(french) if string and not message.fuzzy}
    lacking = sorted(map(str, texts - there))
    assert not lacking, "translate these in templates/fr/pages.po, after `make catalogues`:\n" + "\n".join(lacking)
    assert not [message.id for message, _, string in translated(french) if not string or message.fuzzy]


def test_translations_keep_placeholders_and_html(french):
    for _, texts, string in translated(french):
        assert Counter(PLACES.findall(string)) in [Counter(PLACES.findall(text)) for text in texts], string
        assert Counter(TAGS.findall(string)) in [Counter(TAGS.findall(text)) for text in texts], string


def test_translations_keep_blanks_at_their_ends(french):
    for _, texts, string in translated(french):
        assert (string[:1].isspace(), string[-1:].isspace()) == (texts[0][:1].isspace(), texts[0][-1:].isspace())


def test_french_is_set_as_french(french):
    wrong = [string for _, _, string in translated(french) if BAD_TYPOGRAPHY.search(TAGS.sub("", string))]
    assert not wrong


def test_every_failure_has_its_message_in_the_catalogue(texts):
    def kinds(base):
        return {base}.union(*map(kinds, base.__subclasses__()))

    own = {
        kind for kind in kinds(ApiError) if kind.__module__.startswith("flexiapi.") and "testing" not in kind.__module__
    }
    assert len(own) > 30
    assert {kind.message for kind in own} - texts == set()


def test_every_rule_of_parameters_has_its_text_in_the_catalogue(texts):
    assert set(_TEXTS.values()) - texts == set()


# Texts in all the forms in which the source has them, and what is no such text.
SPECIMEN = '''
"""Prose about a field: phone must be there."""

class Sad(ApiError):
    """username is taken"""
    message = "This is sad."
    def __init__(self, seconds): super().__init__(f"Wait {seconds} s.")

class Hidden(Sad):
    def __init__(self, reason): ...

class Told(ApiError): ...

def check(field, name, longest, missing, error):
    """Raise a failure: email must be told."""
    texts.append(f"{{field}} must have at most {longest} characters")
    errors[name] = [f"{name} is required with {other}"]
    raise ValidationFailed({"email": ["email is not set"]})
    raise ValidationFailed({"to": [f"The server says {error.reason} now." if error else "No."]})
    raise Told("This is told." if error else f"Use {', '.join(missing)}.")
    raise Hidden("for operators")
    raise ValueError("A mistake.")
    log.info("the database is away")
'''


def test_texts_are_found_in_all_forms_of_the_source(tool):
    tree = ast.parse(SPECIMEN)
    assert set(tool["Failures"]([tree]).messages(tree)) == {
        "This is sad.",
        "Wait {seconds} s.",
        "This is told.",
        "Use {missing}.",
    }
    assert set(tool["about_fields"](tree)) == {
        "{field} must have at most {longest} characters",
        "{field} is required with {other}",
        "{field} is not set",
        "The server says {reason} now.",
        "No.",
    }


def test_every_text_about_a_field_is_told_in_french_with_its_label(french, texts):
    told = Catalogue([french]).told
    about_fields = [text for text in texts if isinstance(text, str) and text.startswith("{field} ")]
    assert len(about_fields) > 40
    for text in about_fields:
        made = re.sub(r"\{(?!field)\w+\}", "17", text).replace("{field}", "e_mail")
        shown = told(made, "e_mail", "Adresse {0} \\1")
        assert shown.startswith("Adresse {0} \\1\N{NO-BREAK SPACE}:"), text
        assert shown.count("17") >= made.count("17"), text


def test_a_catalogue_is_begun_with_all_texts(tool, tmp_path, monkeypatch, texts):
    monkeypatch.setitem(tool["main"].__globals__, "TEMPLATES", tmp_path)
    monkeypatch.setitem(tool["main"].__globals__, "ROOT", tmp_path)
    monkeypatch.setitem(tool["main"].__globals__, "gathered", tool["Catalog"])
    tool["main"](["pt-BR"])
    begun = (tmp_path / "pt-BR" / "pages.po").read_text("utf-8")
    assert '"Language: pt_BR\\n"' in begun
    assert "Plural-Forms" in begun
