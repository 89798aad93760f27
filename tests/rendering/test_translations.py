"""Languages of messages: which is chosen, where its templates are, and what `check` says of an operator's folder."""

from datetime import UTC, datetime, timedelta

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.files import shared
from flexiapi.rendering import messages, samples
from flexiapi.rendering.renderer import Language, Renderer
from flexiapi.settings import TemplateSettings

PIN = messages.PhoneChangeSms("0123", timedelta(minutes=10))
RECOVERY = messages.AccountRecoverySms("0123", timedelta(minutes=10))
MAIL = messages.EmailChangeMail("alice@sip.example.org", "0123", timedelta(hours=1))
NOTICE = messages.PasswordChangedMail("alice@sip.example.org", datetime(2026, 11, 1, 9, 5, tzinfo=UTC))
BUILT_IN = shared("templates")


@pytest.fixture
def own(tmp_path):
    """Makes a renderer with templates of an operator: their places, with their texts."""

    def make(**files):
        for place, text in files.items():
            path = tmp_path / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Renderer(TemplateSettings(path=tmp_path), "Own", "us")

    return make


@pytest.fixture(scope="module")
def built_in():
    return Renderer(TemplateSettings(), "Example", "us")


class TestBuiltIn:
    @pytest.mark.parametrize("kind", ["mail", "sms"])
    def test_every_message_is_there_in_french(self, kind):
        english = {path.name for path in (BUILT_IN / kind).iterdir() if not path.name.startswith("layout")}
        assert {path.name for path in (BUILT_IN / "fr" / kind).iterdir()} == english

    @pytest.mark.parametrize("sample", [*samples.MAILS, *samples.SMS], ids=lambda sample: sample.name)
    def test_french_messages_have_the_same_variables(self, built_in, sample):
        render = built_in.mail if isinstance(sample, messages.Mail) else built_in.sms
        english, french = ("".join(render(sample, language=one)) for one in ("en", "fr"))
        assert english != french
        values = [getattr(sample, name, None) for name in ("code", "sip_address", "link", "setup_link", "trouble")]
        for value in filter(None, values):
            assert (value in french) == (value in english)

    @pytest.mark.parametrize("sample", samples.SMS, ids=lambda sample: sample.name)
    def test_french_texts_fit_one_sms(self, built_in, sample):
        text = built_in.sms(sample, language="fr")
        assert len(text) <= 160
        # The accents of French that SMS have without another alphabet.
        assert set(text) - set("éèàù") <= {chr(code) for code in range(0x20, 0x7F)}

    def test_durations_and_times_are_in_the_language(self, built_in):
        assert "Il est valable 10 minutes." in built_in.sms(PIN, language="fr")
        assert "valable 1\N{NO-BREAK SPACE}heure" in built_in.mail(MAIL, language="fr").text
        assert "1 novembre 2026, 09:05 UTC" in built_in.mail(NOTICE, language="fr").text

    def test_html_says_its_language(self, built_in):
        assert '<html lang="fr">' in built_in.mail(MAIL, language="fr").html
        assert '<html lang="en">' in built_in.mail(MAIL).html

    @pytest.mark.parametrize(
        ("wanted", "usual", "language"),
        [
            ((), "en", ("en", "en")),
            ((), "fr", ("fr", "fr")),
            (("fr",), "en", ("fr", "fr")),
            (("fr-CA",), "en", ("fr", "fr")),
            (("de", "fr"), "en", ("fr", "fr")),
            (("de",), "en", ("en", "en")),
            (("*", "fr"), "en", ("en", "en")),
            (("en-US",), "fr", ("en", "en")),
            ((), "en-GB", ("en", "en-GB")),
            ((), "fr-CA", ("fr", "fr-CA")),
            # What no template has is English.
            ((), "de", ("en", "en")),
        ],
    )
    def test_the_first_that_there_is_of_what_is_wanted_else_that_of_the_domain(self, built_in, wanted, usual, language):
        assert built_in.language(PIN, wanted, usual) == language


class TestOfTheOperator:
    def test_a_folder_adds_a_language_for_the_messages_that_it_has(self, own):
        renderer = own(**{"de/sms/phone.change.txt": "Ihr Code: {{ code }}, {{ expires_in | duration }}"})
        assert renderer.language(PIN, ["de-AT"], "en") == ("de", "de")
        assert renderer.sms(PIN, language="de") == "Ihr Code: 0123, 10 Minuten"
        assert renderer.language(RECOVERY, ["de-AT"], "fr") == ("fr", "fr")

    def test_a_more_exact_language_comes_first_and_the_shorter_one_has_the_rest(self, own):
        renderer = own(
            **{
                "pt-BR/sms/phone.change.txt": "pt-BR {{ code }}",
                "pt/sms/phone.change.txt": "pt {{ code }}",
                "pt/sms/account.recovery.txt": "pt {{ code }}",
            }
        )
        assert renderer.language(PIN, ["pt-BR"], "en").templates == "pt-BR"
        assert renderer.language(PIN, ["pt-PT"], "en").templates == "pt"
        assert renderer.language(RECOVERY, ["pt-BR"], "en").templates == "pt"
        assert renderer.sms(RECOVERY, language="pt-BR") == "pt 0123"

    def test_a_message_that_he_did_not_translate_is_sent_to_all_as_he_wrote_it(self, own):
        renderer = own(**{"sms/phone.change.txt": "Unser Code {{ code }}"})
        assert renderer.language(PIN, ["fr", "en"], "de") == ("de", "de")
        assert renderer.sms(PIN, language="de") == "Unser Code 0123"
        # The built-in translations of all others stay.
        assert renderer.language(RECOVERY, ["fr"], "de") == ("fr", "fr")

    def test_his_translation_takes_the_place_of_the_built_in_one(self, own):
        renderer = own(**{"sms/phone.change.txt": "Our {{ code }}", "fr/sms/phone.change.txt": "Notre {{ code }}"})
        assert renderer.sms(PIN, language=renderer.language(PIN, ["fr"], "en").templates) == "Notre 0123"
        assert renderer.sms(PIN, language=renderer.language(PIN, ["it"], "en").templates) == "Our 0123"

    def test_his_layout_is_around_all_languages(self, own):
        renderer = own(**{"mail/layout.txt": "{% block content %}{% endblock %}\n-- \nOur house"})
        assert renderer.language(MAIL, ["fr"], "en").templates == "fr"
        text = renderer.mail(MAIL, language="fr").text
        assert "saisissez ce code" in text
        assert text.endswith("Our house\n")

    def test_wishes_of_callers_lead_to_no_other_folder(self, own):
        renderer = own(**{"secret/sms/phone.change.txt": "no", "sms/x.txt": ""})
        for wish in ("../secret", "secret", "..", "/etc", "sms"):
            assert renderer.language(PIN, [wish], "en") == Language("en", "en")


@pytest.fixture(scope="module")
def german_only(tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    (own / "de" / "sms").mkdir(parents=True)
    (own / "de" / "sms" / "phone.change.txt").write_text("{{ code }}")
    return Renderer(TemplateSettings(path=own, languages="de, it"), "Own", "us")


class TestChosenBySettings:
    @pytest.mark.parametrize(
        ("wanted", "usual", "language"),
        [("de", "en", "de"), ("fr", "en", "en"), ("fr", "fr", "fr"), ("en", "fr", "fr"), ("it", "en", "en")],
    )
    def test_a_person_gets_one_of_them_or_that_of_the_domain(self, german_only, wanted, usual, language):
        assert german_only.language(PIN, [wanted], usual).templates == language

    def test_they_are_those_that_sign_ups_remember(self, german_only):
        assert german_only.translations.languages == {"de"}


class TestChecked:
    @pytest.mark.parametrize("place", ["fr/sms/phone.change.txt", "de/mail/email.change.html", "sms/phone.change.txt"])
    def test_a_broken_template_of_any_language_is_found(self, own, place):
        renderer = own(**{place: "{{ cdoe }}"})
        with pytest.raises(ConfigurationError, match="'cdoe' is undefined") as failure:
            renderer.render_all_samples()
        assert place.partition(".")[0].removeprefix("fr/").removeprefix("de/") in str(failure.value)
        assert place.startswith(("sms", str(failure.value).partition(": ")[2][:2]))

    def test_a_template_in_the_language_of_a_domain_is_rendered_with_its_words(self, own):
        renderer = own(**{"sms/phone.change.txt": "{{ (expires_in | duration)[99999] ~ 1 // 0 }}"})
        with pytest.raises(ConfigurationError, match=r"it: sms/phone\.change"):
            renderer.render_all_samples(["it"])

    def test_a_file_that_nothing_uses_is_named(self, own):
        places = (
            "sms/phone.chnage.txt",
            "french/sms/phone.change.txt",
            "fr/pages/home.html",
            "FR/sms/phone.change.txt",
        )
        found = list(own(**dict.fromkeys(places, "x")).translations.doubts())
        for place in places:
            assert [text for text in found if place in text and text.startswith("nothing uses ")], place
        assert len(found) == len(places)

    def test_what_templates_include_is_used(self, own):
        renderer = own(
            **{"sms/phone.change.txt": "{% include 'sms/ours.txt' %}", "sms/ours.txt": "x", "pages/home.html": ""}
        )
        assert list(renderer.translations.doubts()) == []

    def test_a_mail_in_part_is_named(self, own, tmp_path):
        renderer = own(**{"de/mail/email.change.txt": "x", "fr/mail/email.change.txt": "x"})
        lacking = "is missing: that part of the mail is in another language"
        assert list(renderer.translations.doubts()) == [
            f"{tmp_path}/de/mail/email.change.subject.txt {lacking}",
            f"{tmp_path}/de/mail/email.change.html {lacking}",
        ]
        renderer = own(**{"mail/email.change.html": "x"})
        assert f"{tmp_path}/fr/mail/email.change.html {lacking}" in list(renderer.translations.doubts())

    def test_a_folder_that_cannot_be_read_is_refused(self, own, monkeypatch):
        def refuse(folder):
            raise PermissionError(13, "Permission denied", str(folder))

        monkeypatch.setattr("pathlib.Path.iterdir", refuse)
        with pytest.raises(ConfigurationError, match=r"templates\.path: .* cannot be read: Permission denied"):
            own(**{"sms/phone.change.txt": "x"})

    def test_without_a_folder_there_is_nothing_to_doubt(self, built_in):
        assert list(built_in.translations.doubts()) == []
