"""The language of a page: chosen at its foot, that of the account, that of the browser, that of the service."""

import re

import pytest

from flexiapi.panel.languages import chosen
from tests.kit.server import shared_by_module
from tests.kit.visitor import Visitor

server = shared_by_module({})


@pytest.fixture
def visitor(server):
    made = Visitor(server.url)
    yield made
    made.close()


@pytest.fixture
def person(server):
    return server.person()


def language(answer):
    return re.search(r'<html lang="([^"]+)" dir="ltr">', answer.text)[1]


def account_of(server, person):
    return server.run(server.services.accounts.directory.for_admin(person.id, server.services.spaces.default))


class TestChosen:
    def test_a_button_at_the_foot_changes_it_and_comes_back_without_a_script(self, visitor):
        visitor.open("/login?next=/sessions")
        assert visitor.form("/language").labels == ["en", "fr"]
        answer = visitor.send("/language", language="fr")
        assert (str(answer.url).endswith("/login?next=/sessions"), language(answer)) == (True, "fr")
        assert "Se connecter" in answer.text
        # It lasts, and wins over the browser.
        visitor.http.headers["Accept-Language"] = "en"
        assert language(visitor.open("/login")) == "fr"

    def test_the_buttons_name_languages_in_themselves_and_tell_the_present_one(self, visitor):
        text = visitor.open("/login").text
        buttons = re.findall(r'<button[^>]*value="(\w+)" lang="(\w+)"([^>]*)>([^<]+)<', text)
        assert [(tag, tag == lang, "aria-current" in more, name) for tag, lang, more, name in buttons] == [
            ("en", True, True, "English"),
            ("fr", True, False, "Français"),
        ]

    def test_the_cookie_is_for_a_year_and_not_for_scripts(self, visitor):
        visitor.open("/login")
        answer = visitor.send("/language", follow=False, language="fr")
        assert answer.status_code == 303
        (cookie,) = [one for one in answer.headers.get_list("set-cookie") if "language" in one]
        assert cookie.startswith("flexiapi-language=fr; ")
        assert {"HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))

    @pytest.mark.parametrize("other", ["de", "../fr", "fr<script>", ""])
    def test_a_language_that_there_is_not_is_refused(self, visitor, other):
        visitor.open("/login")
        answer = visitor.send("/language", language=other)
        assert (answer.status_code, "flexiapi-language" in visitor.http.cookies) == (422, False)
        assert "There is a problem" in answer.text
        assert "<script>" not in answer.text

    def test_no_get_changes_it(self, visitor):
        answer = visitor.open("/language?language=fr")
        assert (answer.status_code, language(answer)) == (200, "en")
        assert "flexiapi-language" not in visitor.http.cookies

    def test_a_form_of_another_page_or_site_changes_nothing(self, visitor):
        visitor.open("/login")
        given = {"language": "fr", **visitor.form("/language").fields}
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert visitor.http.post("/language", data=given, headers=foreign).status_code == 403
        answer = visitor.http.post("/language", data={**given, "form_token": "x"})
        assert answer.status_code == 403
        assert "flexiapi-language" not in visitor.http.cookies

    def test_it_leads_to_no_other_site(self, visitor):
        visitor.open("/login")
        answer = visitor.send("/language", follow=False, language="fr", next="//evil.example")
        assert answer.headers["location"] == "/"

    def test_after_a_failed_form_it_leads_to_a_page_that_there_is(self, visitor):
        visitor.open("/login")
        assert visitor.send("/authenticate", username="x", password="y").status_code == 422
        assert visitor.form("/language").fields["next"] == "/"

    def test_it_becomes_that_of_the_account_too(self, server, visitor, person):
        visitor.sign_in(person)
        answer = visitor.send("/language", language="fr")
        assert (answer.url.path, language(answer)) == ("/dashboard", "fr")
        assert account_of(server, person).language == "fr"


class TestOthers:
    def test_that_of_the_account_comes_before_that_of_the_browser(self, server, visitor, person):
        visitor.http.headers["Accept-Language"] = "en"
        visitor.sign_in(person)
        visitor.send("/language", language="fr")
        del visitor.http.cookies["flexiapi-language"]
        assert language(visitor.open("/dashboard")) == "fr"

    def test_that_of_the_browser_comes_before_that_of_the_service(self, visitor):
        visitor.http.headers["Accept-Language"] = "de, fr-CA;q=0.8, en;q=0.5"
        answer = visitor.open("/login")
        assert language(answer) == "fr"
        assert answer.headers["vary"] == "Accept-Language, Cookie"

    def test_failures_are_told_in_it_with_the_labels_of_fields(self, visitor):
        visitor.http.headers["Accept-Language"] = "fr"
        visitor.open("/login")
        answer = visitor.send("/authenticate", username="", password="")
        assert "<title>Erreur\N{NO-BREAK SPACE}: Se connecter" in answer.text
        assert answer.text.count("utilisateur\N{NO-BREAK SPACE}: ce champ est obligatoire") == 2
        assert "Mot de passe\N{NO-BREAK SPACE}: ce champ est obligatoire" in answer.text

    def test_pages_of_apps_have_it_too(self, visitor):
        visitor.http.headers["Accept-Language"] = "fr"
        answer = visitor.open("/setup/unknown")
        assert (answer.status_code, language(answer)) == (404, "fr")
        assert "Ce lien ne fonctionne plus" in answer.text


def test_only_tags_are_taken_from_cookies():
    assert chosen("a=b; flexiapi-language=pt-BR") == ["pt-BR"]
    assert chosen("flexiapi-language=en; __Host-flexiapi-language=fr") == ["fr"]
    assert chosen("flexiapi-language=../x") == chosen("flexiapi-language") == chosen("a=b") == chosen("") == []
