"""Every template renders, escapes, and may be replaced by the operator's own."""

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexiapi.errors import ConfigurationError
from flexiapi.files import shared
from flexiapi.rendering import messages, pages, samples
from flexiapi.rendering.renderer import Renderer
from flexiapi.rendering.wording import duration, moment
from flexiapi.settings import TemplateSettings

GSM = re.compile(r"[A-Za-z0-9 \n@$!\"#%&'()*+,\-./:;<=>?_]*")
CODE = "AbCdEfGhIjKlM"
VOID = {"br", "img", "input", "link", "meta"}


@pytest.fixture(scope="module")
def renderer():
    return Renderer(TemplateSettings(), "Example & Co", "The <team>")


class Outline(HTMLParser):
    """Element balance, attributes by element, and text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.found, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text += data

    def all(self, tag):
        return [attributes for found, attributes in self.found if found == tag]


def declared(base):
    return [kind for kind in vars(messages if base is not pages.Page else pages).values() if is_kind(kind, base)]


def is_kind(kind, base):
    return isinstance(kind, type) and issubclass(kind, base) and kind is not base


@pytest.mark.parametrize(
    ("base", "given"),
    [(messages.Mail, samples.MAILS), (messages.Sms, samples.SMS), (pages.Page, samples.PAGES)],
)
def test_every_declaration_has_a_sample(base, given):
    assert declared(base)
    assert {type(sample) for sample in given} == set(declared(base))


FOLDERS = ("mail", "sms", "pages", "docs")


def test_no_template_lies_about_undeclared():
    known = {f"mail/{kind.name}{end}" for kind in declared(messages.Mail) for end in (".subject.txt", ".txt", ".html")}
    known |= {f"sms/{kind.name}.txt" for kind in declared(messages.Sms)}
    known |= {f"{kind.folder}/{kind.name}.html" for kind in declared(pages.Page)}
    known |= {"mail/layout.html", "mail/layout.txt", "pages/layout.html"}
    there = {str(path.relative_to(shared("templates"))) for kind in FOLDERS for path in folder(kind)}
    assert there == known


def folder(kind):
    return (shared("templates") / kind).iterdir()


def test_the_readme_names_every_template_and_variable():
    readme = (shared("templates") / "README.md").read_text()
    rows = {line.split("`")[1]: line for line in readme.splitlines() if line.startswith("| `")}
    for place, base in (("mail", messages.Mail), ("sms", messages.Sms), ("pages", pages.Page)):
        for kind in declared(base):
            row = rows[f"{getattr(kind, 'folder', place)}/{kind.name}"]
            assert [field.name for field in fields(kind) if f"`{field.name}`" not in row] == []


@pytest.mark.parametrize("sample", samples.MAILS, ids=lambda sample: sample.name)
def test_mails_are_well_formed_and_say_the_same_in_both_parts(renderer, sample):
    subject, text, html = renderer.mail(sample)
    outline = Outline(html)
    assert subject
    assert "\n" not in subject
    assert sample.sip_address in text
    assert sample.sip_address in outline.text
    assert "The <team>" in text
    assert "The <team>" in outline.text
    code = getattr(sample, "code", "")
    assert code in text
    assert code in outline.text
    expires_in = getattr(sample, "expires_in", None)
    if expires_in:
        assert duration(expires_in) in text
        assert duration(expires_in) in outline.text
    assert outline.all("script") == outline.all("link") == outline.all("form") == []
    assert "\n\n\n" not in text


def test_the_recovery_mail_shows_the_qr_code_and_links_to_a_page_that_uses_nothing_up(renderer):
    link = "https://a.example/provisioning/T?reset_password=1&x=1"
    image = "https://a.example/provisioning/qrcode/T?reset_password=1&x=1"
    page = "https://a.example/setup/T?reset_password=1&x=1"
    mail = renderer.mail(messages.AccountRecoveryMail("a@b.example", CODE, link, image, page, timedelta(hours=1)))
    outline = Outline(mail.html)
    assert [attributes["src"] for attributes in outline.all("img")] == [image]
    assert [attributes["href"] for attributes in outline.all("a")] == [page]
    assert page in outline.text
    assert page in mail.text
    assert link not in mail.html + mail.text


def test_other_mails_load_nothing(renderer):
    for sample in samples.MAILS:
        if not isinstance(sample, (messages.AccountRecoveryMail, messages.ProvisioningMail)):
            assert "src=" not in renderer.mail(sample).html
            assert "url(" not in renderer.mail(sample).html


@pytest.mark.parametrize("sample", samples.SMS, ids=lambda sample: sample.name)
def test_texts_fit_one_sms(sample):
    text = Renderer(TemplateSettings(), "FlexiAPI", "").sms(sample)
    assert sample.code in text
    assert duration(sample.expires_in) in text
    assert GSM.fullmatch(text)
    assert len(text) <= 160


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_html_is_escaped_and_text_is_not(title):
    renderer = Renderer(TemplateSettings(), "FlexiAPI", "")
    outline = Outline(renderer.page(pages.ErrorPage("n", title, "<b>m</b> & more")))
    assert title in outline.text
    assert "<b>m</b> & more" in outline.text
    assert "<&>" in renderer.mail(messages.EmailChangeMail("<&>", "0123", timedelta(minutes=10))).text


def test_a_subject_is_one_line():
    mail = Renderer(TemplateSettings(), "Bad\r\nBcc: x@y.example", "").mail(samples.MAILS[0])
    assert mail.subject == "Confirm your Bad Bcc: x@y.example account"


@pytest.mark.parametrize("sample", samples.PAGES, ids=lambda sample: sample.name)
def test_pages_load_nothing_of_others(renderer, sample):
    outline = Outline(renderer.page(sample))
    assert [attributes["nonce"] for attributes in outline.all("style")] == [sample.nonce]
    assert not any("style" in attributes for _, attributes in outline.found)
    assert outline.all("link") == []
    assert all(image["src"].startswith("data:") and image["alt"] for image in outline.all("img"))
    assert outline.all("html") == [{"lang": "en", "dir": "ltr"} if sample.folder == "pages" else {"lang": "en"}]
    assert len(outline.all("h1")) == 1
    captcha = getattr(sample, "captcha", None)
    scripts = outline.all("script")
    assert {attributes["nonce"] for attributes in scripts} <= {sample.nonce}
    assert [script["src"] for script in scripts if "src" in script] == ([captcha.script_url] if captcha else [])


def test_the_check_is_a_form_that_needs_no_script(renderer):
    outline = Outline(renderer.page(pages.CreationTokenCheckPage("n", "../validate", CODE, '"csrf"')))
    assert outline.all("form") == [{"method": "post", "action": "../validate"}]
    assert {field["name"]: field["value"] for field in outline.all("input")} == {
        "account_creation_request_token": CODE,
        "csrf": '"csrf"',
    }
    assert outline.all("button") == [{"type": "submit"}]
    assert outline.all("script") == []


def test_the_check_holds_the_captcha(renderer):
    captcha = pages.Captcha("the-key", "https://captcha.example/api.js", "h-captcha")
    page = pages.CreationTokenCheckPage("n", "validate", CODE, "csrf", captcha, "Try again.")
    outline = Outline(renderer.page(page))
    assert {"class": "h-captcha", "data-sitekey": "the-key"} in outline.all("div")
    assert outline.all("script")[0]["nonce"] == "n"
    assert "Try again." in outline.text


def test_the_operators_folder_comes_first(tmp_path):
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "phone.change.txt").write_text("Code\n{{ code }}\n")
    own = Renderer(TemplateSettings(path=tmp_path), "Own", "")
    assert own.sms(messages.PhoneChangeSms("0123", timedelta(minutes=10))) == "Code 0123"
    assert "Own" in own.sms(messages.AccountRecoverySms("0123", timedelta(minutes=10)))
    own.render_all_samples()


@pytest.mark.parametrize(
    ("template", "reason"),
    [("{{ cod }}", "'cod' is undefined"), ("{% if %}", "Expected an expression"), ("{{ 1 / 0 }}", "division by zero")],
)
def test_a_broken_template_is_found_before_it_is_needed(tmp_path, template, reason):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "email.change.html").write_text(template)
    with pytest.raises(ConfigurationError, match=f"mail/email.change: {reason}"):
        Renderer(TemplateSettings(path=tmp_path), "Own", "").render_all_samples()


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"templates\.path"):
        Renderer(TemplateSettings(path=tmp_path / "none"), "Own", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (90, "90 seconds"), (600, "10 minutes"), (3600, "1 hour"), (172800, "2 days")],
)
def test_durations_in_words(seconds, words):
    assert duration(timedelta(seconds=seconds)) == words


def test_times_are_said_in_utc():
    paris = timezone(timedelta(hours=1))
    assert moment(datetime(2026, 1, 1, 0, 30, tzinfo=paris)) == "31 December 2025, 23:30 UTC"
    assert moment(datetime(2026, 11, 5, 9, 5, tzinfo=UTC)) == "5 November 2026, 09:05 UTC"
