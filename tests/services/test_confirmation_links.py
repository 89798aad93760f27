"""Links in the messages that confirm a new account."""

from datetime import UTC, datetime

from flexiapi.model import Account, Spaces
from flexiapi.services.confirmation_links import ConfirmationLinks
from flexiapi.settings import Settings

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
NUMBER = "+33612345678"


def links_of(**tables):
    settings = Settings.model_validate({"app": {"url": "https://a.example.org"}, **tables})
    return ConfirmationLinks(Spaces.of(settings), settings.panel)


def account(name, domain="sip.example.org"):
    return Account(id=1, username=name, domain=domain, created_at=NOW, updated_at=NOW)


def test_in_an_sms_it_has_the_domain_only_where_that_of_the_host_is_another():
    links = links_of(account={"public_domains": ["second.example.org"]}, spaces={"b.example.org": {}})
    root = "https://a.example.org/activate"
    assert links.texted(account("a+b"), "0427") == f"{root}/a+b/0427"
    assert links.texted(account("a+b", "second.example.org"), "0427") == f"{root}/a+b@second.example.org/0427"
    assert links.texted(account(NUMBER, "b.example.org"), "0427") == f"https://b.example.org/activate/{NUMBER}/0427"
    assert links.mailed(account("a+b"), "KEY") == f"{root}/a%2Bb%40sip.example.org/KEY"


def test_a_user_name_is_one_segment_of_its_path():
    links, root = links_of(), "https://a.example.org/activate"
    assert links.texted(account("a/b?c#d"), "0427") == f"{root}/a%2Fb%3Fc%23d/0427"
    assert links.mailed(account("a/b"), "KEY") == f"{root}/a%2Fb%40sip.example.org/KEY"


def test_there_is_none_where_no_page_takes_it():
    without = links_of(panel={"enabled": False})
    assert (without.texted(account("a"), "0427"), without.mailed(account("a"), "KEY")) == (None, None)
    # Codes confirm accounts of other domains in a session alone.
    assert links_of().texted(account("a", "closed.example.org"), "0427") is None
