"""Catalogues: the texts of pages by language, those of an operator, and texts that were made in English."""

from datetime import UTC, date, datetime, timedelta

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.rendering import pages
from flexiapi.rendering.catalogues import Catalogue, Catalogues, marked, read
from flexiapi.rendering.renderer import Language, Renderer
from flexiapi.rendering.wording import ago, day, direction, number, own_name
from flexiapi.settings import TemplateSettings

HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"""


def written(folder, tag, **entries):
    """Writes the catalogue of a language: translations by text."""
    file = folder / tag / "pages.po"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"msgid {quoted(one)}\nmsgstr {quoted(other)}\n" for one, other in entries.items()]
    file.write_text("\n".join([HEAD, *lines]), "utf-8")
    return file


def quoted(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@pytest.fixture
def folders(tmp_path):
    own, built_in = tmp_path / "own", tmp_path / "built-in"
    own.mkdir()
    built_in.mkdir()
    return own, built_in


@pytest.fixture
def french(tmp_path):
    """Makes a French catalogue of entries."""
    return lambda **entries: Catalogue([read(written(tmp_path, "fr", **entries))])


def page_of(tmp_path, template, language="fr", **entries):
    """Returns the home page, made from a template in a language with these entries."""
    written(tmp_path, language, **entries)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "home.html").write_text(template, "utf-8")
    return Renderer(TemplateSettings(path=tmp_path), "A & B", "").page(pages.HomePage("n"), language=language)


class TestTexts:
    def test_a_marked_text_is_itself(self):
        assert marked("Sign in") == "Sign in"

    def test_they_are_in_the_language_or_else_in_english(self, french):
        catalogue = french(**{"Sign in": "Se connecter", "Sign out": ""})
        assert [catalogue.text(one) for one in ("Sign in", "Sign out", "Other", "")] == [
            "Se connecter",
            "Sign out",
            "Other",
            "",
        ]

    def test_values_are_put_in_only_where_there_are_some(self, french):
        catalogue = french(**{"Hello %(name)s": "Bonjour %(name)s", "100 % sure": "Sûr à 100 %"})
        assert catalogue.text("Hello %(name)s", name="50 %") == "Bonjour 50 %"
        assert catalogue.text("100 % sure") == "Sûr à 100 %"

    def test_a_translation_with_other_placeholders_is_not_used(self, french):
        catalogue = french(**{"Hello %(name)s": "Bonjour %(nom)s", "{field} is taken": "{champ} est pris", "x": "%"})
        assert catalogue.text("Hello %(name)s", name="A") == "Hello A"
        assert catalogue.told("email is taken", "email", "Adresse") == "Adresse is taken"
        assert catalogue.text("x") == "x"

    def test_an_operators_entry_wins_over_the_built_in_one(self, folders):
        own, built_in = folders
        written(built_in, "fr", **{"Sign in": "Se connecter", "Sign out": "Se déconnecter"})
        written(own, "fr", **{"Sign in": "Entrer"})
        written(own, "fr-CA", **{"Sign out": "Sortir"})
        catalogues = Catalogues(folders)
        assert [catalogues.made("fr").text(one) for one in ("Sign in", "Sign out")] == ["Entrer", "Se déconnecter"]
        assert [catalogues.made("fr-CA").text(one) for one in ("Sign in", "Sign out")] == ["Entrer", "Sortir"]

    def test_an_operator_may_change_the_english_texts(self, folders):
        written(folders[0], "en", **{"Sign in": "Log in"})
        assert Catalogues(folders).made("en").text("Sign in") == "Log in"


class TestTextsAboutFields:
    def test_in_english_the_label_stands_for_the_name(self):
        told = Catalogue().told
        assert told("password must have at least 6 characters", "password", "New password") == (
            "New password must have at least 6 characters"
        )
        assert told("passwords differ", "password", "Password") == "passwords differ"

    def test_they_are_translated_with_their_values_and_the_label(self, french):
        catalogue = french(
            **{
                "{field} must be {expected}": "{field} : la valeur attendue est {expected}",
                "{field} must be at least {ge}": "{field} : au moins {ge}",
                "{field} must be true or false": "{field} : oui ou non",
                "{first} or {last}": "{first} ou {last}",
            }
        )
        assert catalogue.told("age must be at least 18", "age", "Âge") == "Âge : au moins 18"
        assert catalogue.told("age must be true or false", "age", "Âge") == "Âge : oui ou non"
        assert catalogue.told("age must be 'a', 'b' or 'c'", "age", "Âge") == (
            "Âge : la valeur attendue est 'a', 'b' ou 'c'"
        )

    def test_values_are_no_placeholders(self, french):
        catalogue = french(**{"{field} must be {expected}": "{field} : {expected}"})
        assert catalogue.told("a must be {field} {0} \\1 %s", "a", "{expected}") == "{expected} : {field} {0} \\1 %s"

    def test_a_kind_of_thing_in_a_message_is_translated_and_data_is_not(self, french):
        catalogue = french(
            **{
                "{number} {what} from {whence}.": "{number} {what} de {whence}.",
                "wrong passwords": "erreurs",
                "here": "x",
            }
        )
        assert catalogue.said("3 wrong passwords from here.") == "3 erreurs de here."

    def test_messages_without_a_field_are_translated_with_their_values(self, french):
        catalogue = french(**{"Try again in {retry_after} s.": "Réessayez dans {retry_after} s.", "Gone.": "Parti."})
        assert catalogue.said("Try again in 17 s.") == "Réessayez dans 17 s."
        assert catalogue.said("Gone.") == "Parti."
        assert french(**{"Gone {x}.": "Parti {x}.", "Gone by.": "Fini."}).said("Gone by.") == "Fini."
        assert catalogue.said("Unknown.") == "Unknown."


class TestOnPages:
    def test_texts_are_translated_and_escaped(self, tmp_path):
        html = page_of(
            tmp_path,
            "<p>{{ _('Fish & %(dish)s', dish='<chips>') }}</p>",
            **{"Fish & %(dish)s": "Poisson <et> %(dish)s"},
        )
        assert html == "<p>Poisson &lt;et&gt; &lt;chips&gt;</p>"

    def test_blocks_may_have_html_whose_values_are_escaped(self, tmp_path):
        template = "{% trans %}\n  Of <b>{{ app_name }}</b>,\n  at 5 %\n{% endtrans %}"
        html = page_of(tmp_path, template, **{"Of <b>%(app_name)s</b>, at 5 %%": "De <i>%(app_name)s</i>, à 5 %%"})
        assert html == "De <i>A &amp; B</i>, à 5 %"

    @pytest.mark.parametrize(("count", "words"), [(0, "0 compte"), (1, "1 compte"), (2, "2 comptes")])
    def test_numbers_have_the_plurals_of_the_language(self, tmp_path, count, words):
        file = written(tmp_path, "fr")
        file.write_text(
            f'{HEAD}\nmsgid "%(count)s account"\nmsgid_plural "%(count)s accounts"\n'
            'msgstr[0] "%(count)s compte"\nmsgstr[1] "%(count)s comptes"\n'
        )
        (tmp_path / "pages").mkdir()
        template = "{{ count }} account{% pluralize %}{{ count }} accounts{% endtrans %}"
        template = f"{{% trans count={count} %}}{template}"
        (tmp_path / "pages" / "home.html").write_text(template)
        renderer = Renderer(TemplateSettings(path=tmp_path), "", "")
        assert renderer.page(pages.HomePage("n"), language="fr") == words

    def test_imported_macros_have_the_language_too(self, tmp_path):
        (tmp_path / "ours.html").write_text("{% macro label() %}{{ _('Name') }}/{{ language }}{% endmacro %}")
        template = "{% from 'ours.html' import label %}{{ label() }}"
        assert page_of(tmp_path, template, Name="Nom") == "Nom/fr"

    def test_languages_do_not_mix_though_templates_are_compiled_once(self, tmp_path):
        written(tmp_path, "fr", Name="Nom")
        written(tmp_path, "he", Name="שם")
        (tmp_path / "pages").mkdir()
        (tmp_path / "pages" / "home.html").write_text("{{ _('Name') }} {{ direction }} {{ 0.5 | number }}")
        renderer = Renderer(TemplateSettings(path=tmp_path), "", "")
        shown = [renderer.page(pages.HomePage("n"), language=one) for one in ("fr", "en", "he", "fr")]
        assert shown == ["Nom ltr 0,5", "Name ltr 0.5", "שם rtl 0.5", "Nom ltr 0,5"]


class TestChosen:
    @pytest.mark.parametrize(
        ("wanted", "usual", "language"),
        [
            ((), "en", ("en", "en")),
            (("fr-CA",), "en", ("fr", "fr")),
            (("it", "de"), "en", ("de", "de")),
            (("it",), "de-AT", ("de", "de-AT")),
            (("*", "fr"), "de", ("de", "de")),
            (("it",), "it", ("en", "en")),
            (("../fr", "secret"), "en", ("en", "en")),
        ],
    )
    def test_the_first_wanted_of_which_there_is_a_catalogue(self, tmp_path, wanted, usual, language):
        for tag in ("de", "fr", "secret"):
            written(tmp_path, tag)
        renderer = Renderer(TemplateSettings(path=tmp_path), "", "")
        assert renderer.page_language(wanted, usual) == Language(*language)

    def test_settings_leave_out_others_than_that_of_the_domain(self, tmp_path):
        for tag in ("de", "fr"):
            written(tmp_path, tag)
        renderer = Renderer(TemplateSettings(path=tmp_path, languages="de"), "", "")
        assert renderer.page_language(["fr", "de"], "en") == Language("de", "de")
        assert [choice.tag for choice in renderer.page_languages("fr-CA")] == ["de", "fr"]

    def test_choices_are_named_in_their_own_language(self, tmp_path):
        for tag in ("he", "pt-BR", "tlh", "xx"):
            written(tmp_path, tag)
        renderer = Renderer(TemplateSettings(path=tmp_path), "", "")
        names = dict(renderer.page_languages("en"))
        assert names.items() >= {"en": "English", "he": "עברית", "pt-BR": "Português (Brasil)"}.items()
        assert (names["xx"], own_name("fr")) == ("xx", "Français")


class TestWords:
    def test_times_and_numbers_are_in_the_words_of_the_language(self):
        now = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
        assert [ago(now - timedelta(minutes=5), now, one) for one in ("en", "fr")] == [
            "5 minutes ago",
            "il y a 5 minutes",
        ]
        assert ago(now + timedelta(hours=2), now) == "in 2 hours"
        assert ago(now - timedelta(minutes=90), now) in ("1 hour ago", "2 hours ago")
        first = date(2026, 11, 1)
        assert [day(first, language=one) for one in ("en", "fr")] == ["1 November 2026", "1 novembre 2026"]
        assert [day(first, "medium", one) for one in ("en", "fr")] == ["1 Nov 2026", "1 nov. 2026"]
        assert day(datetime(2026, 11, 2, 0, 30, tzinfo=UTC).astimezone()) == "2 November 2026"
        assert [number(12345, one) for one in ("en", "fr", "de")] == ["12,345", "12\u202f345", "12.345"]

    @pytest.mark.parametrize(
        ("language", "written_to"), [("en", "ltr"), ("he", "rtl"), ("ar-EG", "rtl"), ("xx", "ltr")]
    )
    def test_the_direction_is_that_of_the_script(self, language, written_to):
        assert direction(language) == written_to


class TestChecked:
    def test_an_entry_that_nothing_uses_is_named(self, folders):
        own, built_in = folders
        written(built_in, "fr", **{"Sign in": "Se connecter", "Hello %(name)s": "Bonjour %(name)s"})
        file = written(own, "de", **{"Sign in": "Anmelden", "Sing in": "Anmelden", "Hello %(name)s": "Hallo %(Name)s"})
        assert list(Catalogues(folders).doubts()) == [
            f"{file}: nothing uses the entry 'Sing in'",
            f"{file}: the translation of 'Hello %(name)s' has other placeholders than its text",
        ]

    def test_a_catalogue_in_an_unknown_place_is_named(self, folders):
        own, _ = folders
        files = [written(own, "FR"), written(own, "fr/mail"), (own / "fr.po").touch() or own / "fr.po"]
        told = list(Catalogues(folders).doubts())
        assert {text.removeprefix("nothing uses ").partition(": ")[0] for text in told} == {*map(str, files)}

    def test_a_catalogue_that_cannot_be_read_is_left_out_and_told_of(self, folders):
        written(folders[1], "fr", **{"Sign in": "Se connecter"})
        file = written(folders[0], "fr", **{"Sign in": "Entrer"})
        for content in (b'msgid "a"\nmsgstx "b"\n', f'{HEAD}\nmsgid "é"\nmsgstr ""'.encode("latin-1")):
            file.write_bytes(content)
            with pytest.raises(ConfigurationError, match=r"own/fr/pages\.po cannot be read as catalogue"):
                list(Catalogues(folders).doubts())
            assert Catalogues(folders).made("fr").text("Sign in") == "Se connecter"
