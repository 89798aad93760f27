"""Spaces, as the settings describe them."""

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.model import EVERYWHERE, Scope, Spaces
from flexiapi.settings import Settings
from flexiapi.settings.spaces import OVERRIDABLE, SpaceSettings, field_of

B = "b.example.org"


def spaces(**tables):
    return Spaces.of(Settings.model_validate({"app": {"url": "https://a.example.org:8443/x"}, **tables}))


def test_without_tables_every_domain_and_host_is_the_default_space():
    made = spaces()
    assert list(made) == [made.default]
    assert made.of_domain("any.example.org") is made.of_host("any.example.org") is made.default
    assert (made.default.stored, made.default.suffix, made.default.host) == (None, "", None)
    assert made.default.scope == EVERYWHERE
    assert made.default.reach == Scope("sip.example.org")


def test_a_table_has_its_domain_and_host():
    made = spaces(spaces={"B.Example.org": {"host": "Accounts.b.example.org"}})
    b = made.of_domain(B)
    assert b is made.of_host("accounts.b.example.org")
    assert made.of_host(B) is made.of_domain("sip.example.org") is made.default
    assert (b.domain, b.stored, b.suffix) == (B, B, f";space={B}")
    assert b.url == "https://accounts.b.example.org:8443/x"
    assert not made.default.scope.has(B)
    assert [b.scope.has(domain) for domain in (B, "sip.example.org", "any.example.org")] == [True, False, False]


@pytest.mark.parametrize(
    ("table", "host", "url"),
    [
        ({}, B, f"https://{B}:8443/x"),
        ({"url": "https://b.example.com/y"}, "b.example.com", "https://b.example.com/y"),
        ({"url": "https://b.example.com", "host": "inside.example"}, "inside.example", "https://b.example.com"),
        ({"url": "https://B.example.com.:8443/y"}, "b.example.com", "https://B.example.com.:8443/y"),
        ({"host": "Bücher.Example."}, "xn--bcher-kva.example", "https://xn--bcher-kva.example:8443/x"),
        ({"host": "[2001:DB8:0::1]"}, "[2001:db8::1]", "https://[2001:db8::1]:8443/x"),
        ({"host": "2001:db8::1"}, "[2001:db8::1]", "https://[2001:db8::1]:8443/x"),
        ({"url": "https://[::1]:8443"}, "[::1]", "https://[::1]:8443"),
    ],
)
def test_host_and_url_follow_from_each_other(table, host, url):
    b = spaces(spaces={B: table}).of_domain(B)
    assert (b.host, b.url) == (host, url)


def test_what_a_table_does_not_say_is_as_in_the_sections():
    given = {"realm": "one", "username_min_length": 9, "blacklisted_usernames": ["root"], "registration": "invited"}
    made = spaces(account=given, mail={"signature": "All of us"}, spaces={B: {"realm": "", "username_min_length": 3}})
    default, b = made
    assert (default.realm, b.realm) == ("one", None)
    assert (default.names.username_min_length, b.names.username_min_length) == (9, 3)
    assert b.names.blacklist == ("root",)
    assert b.registration == "invited"
    assert b.mail.signature == "All of us"


def test_the_sender_of_mails_is_that_of_the_backend_unless_the_table_has_one():
    everywhere = {"from_address": "a@example.org", "reply_to": "r@example.org", "bounce_address": "b@example.org"}
    made = spaces(mail=everywhere, spaces={B: {"from_name": "Bee", "reply_to": "help@b.example.org"}})
    senders = [(one.mail.from_address, one.mail.from_name, one.mail.reply_to, one.mail.bounce_address) for one in made]
    assert senders == [(None, None, None, None), (None, "Bee", "help@b.example.org", None)]


def test_only_domains_without_a_table_are_public_in_the_default_space():
    made = spaces(account={"public_domains": [B, "C.example.org"]}, spaces={B: {}})
    assert made.default.names.public_domains == {"sip.example.org", "c.example.org"}
    assert made.of_domain(B).names.public_domains == {B}


def test_only_administrators_of_the_default_space_may_name_domains():
    made = spaces(app={"admins_manage_multi_domains": True}, spaces={B: {}})
    assert [(one.may_name_domains, one.reach) for one in made] == [(True, EVERYWHERE), (False, Scope(B))]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"sip.example.org": {}}, ['[spaces."sip.example.org"]', "app.sip_domain"]),
        ({B: {"host": "h.example"}, "c.example": {"host": "H.example"}}, ['[spaces."c.example"] host', f'"{B}"']),
        ({B: {"host": "a.example.org"}}, [f'[spaces."{B}"] host', "[app]"]),
        ({B: {"host": "A.example.org."}}, [f'[spaces."{B}"] host', "[app]"]),
        ({B: {"host": "bücher.example"}, "c.example": {"host": "xn--bcher-kva.example"}}, ['"c.example"] host', B]),
        ({B: {"host": "b.example.org:8443"}}, [f'[spaces."{B}"] host: "b.example.org:8443"', "port"]),
        ({B: {"host": "https://b.example.org"}}, [f'[spaces."{B}"] host', "scheme"]),
        ({B: {"host": "[::1]:8443"}}, [f'[spaces."{B}"] host', "port"]),
        ({B: {"url": "https://b..example"}}, [f'[spaces."{B}"] url', "b..example"]),
        ({B: {"url": "https://b.example:http"}}, [f'[spaces."{B}"] url', "port"]),
    ],
)
def test_what_cannot_be_is_named(tables, words):
    with pytest.raises(ConfigurationError) as caught:
        spaces(spaces=tables)
    assert [word for word in words if word not in str(caught.value)] == []


def test_every_overridable_setting_is_declared_in_its_section_alone():
    for key, section in OVERRIDABLE.items():
        assert (
            SpaceSettings.model_fields[key].description
            == Settings.model_fields[section].annotation.model_fields[field_of(key)].description
        )


def test_each_domain_has_the_realm_of_its_space():
    made = spaces(account={"realm": "one"}, spaces={B: {"realm": ""}})
    assert [made.realm_of(domain) for domain in ("sip.example.org", "any.example.org", B)] == ["one", "one", None]
