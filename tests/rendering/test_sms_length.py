"""Length of texts in SMS, as 3GPP TS 23.038 and 23.040 count them: code and link are in one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flexiapi.rendering.messages import AccountConfirmationSms, AccountRecoverySms, PhoneChangeSms
from flexiapi.rendering.renderer import Renderer, number_of_sms, septets
from flexiapi.settings import TemplateSettings

HOST, NAME, APP = "accounts.phone.example.o", "bartholomew.atkinson", "Example Phone"
PIN = "0427"
# The paths are those that tests/panel/entrance/test_links_in_sms.py finds in the messages.
KINDS = {
    AccountConfirmationSms: f"/activate/{NAME}/{PIN}",
    AccountRecoverySms: f"/recover/+33612345678/{PIN}",
    PhoneChangeSms: f"/phone/validate?code={PIN}",
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
EACH_LANGUAGE = pytest.mark.parametrize("language", ["en", "fr"])


def texts_of(kind, language="en", *, host=HOST, app=APP, templates=None):
    """The SMS with its link, and what it is without."""
    renderer = Renderer(templates or TemplateSettings(), app, "")
    sms = kind(PIN, timedelta(minutes=10), "sip.example.org", f"https://{host}{KINDS[kind]}")
    return renderer.sms(sms, language=language), renderer.sms(replace(sms, link=None), language=language)


def test_these_are_all_languages_that_are_built_in():
    assert Renderer(TemplateSettings(), APP, "").translations.languages == {"en", "fr"}


@EACH_LANGUAGE
@EACH_KIND
def test_code_and_link_fit_one_sms_in_the_gsm_alphabet(kind, language):
    assert (len(HOST), len(NAME)) == (24, 20)
    text, _ = texts_of(kind, language)
    assert septets(text) is not None
    assert septets(text) <= 160
    words = text.split(" ")
    assert words[-1] == f"https://{HOST}{KINDS[kind]}"
    assert next(word for word in words if PIN in word).strip(".,") == PIN


@EACH_LANGUAGE
@EACH_KIND
def test_a_link_that_would_make_a_second_sms_is_left_out(kind, language):
    text, plain = texts_of(kind, language, host=f"{'a' * 50}.{'b' * 40}.example.org")
    assert (text == plain, "http" in text, PIN in text) == (True, False, True)
    # With a character that is not in the GSM alphabet, one SMS has 70.
    text, plain = texts_of(kind, language, app="Téléphone de garçon")
    assert (text == plain, septets(text)) == (True, None)


def test_a_link_stays_in_a_text_that_takes_as_many_sms_without_it():
    text, plain = texts_of(PhoneChangeSms, app="A" * 130)
    assert (number_of_sms(text), number_of_sms(plain)) == (2, 2)
    assert text.endswith(KINDS[PhoneChangeSms])


@EACH_KIND
def test_templates_of_operators_without_a_link_work_as_before(tmp_path, kind):
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / f"{kind.name}.txt").write_text("{{ app_name }}: {{ code }} ({{ expires_in | duration }})\n")
    text, plain = texts_of(kind, templates=TemplateSettings(path=tmp_path))
    assert text == plain == f"{APP}: {PIN} (10 minutes)"


def test_what_is_read_out_has_no_link():
    spoken = PhoneChangeSms(PIN, timedelta(minutes=10), link="https://a.example.org/").spoken()
    assert (spoken.link, spoken.code) == (None, "0, 4, 2, 7")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Code 0427: récupération à 9 h, Ø £ É", 36),
        ("[0427] €", 11),
        ("ç", None),
        ("ê", None),
        ("10\u00a0minutes", None),
        ("it\u2019s", None),
    ],
)
def test_the_gsm_alphabet_is_counted_in_septets(text, length):
    assert septets(text) == length


@pytest.mark.parametrize(
    ("character", "most", "most_in_two"),
    [("a", 160, 306), ("€", 80, 153), ("ç", 70, 134), ("\U0001f600", 35, 67)],
    ids=["gsm", "extension", "other", "beyond the plane"],
)
def test_a_long_text_takes_several_sms(character, most, most_in_two):
    lengths = (1, most, most + 1, most_in_two, most_in_two + 1)
    assert [number_of_sms(character * length) for length in lengths] == [1, 1, 2, 2, 3]
