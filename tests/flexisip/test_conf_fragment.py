"""The fragment of `flexisip.conf` for each release."""

import json

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.flexisip.conf_file import read_conf
from flexiapi.flexisip.conf_fragment import INIT_QUERY, PLACEHOLDER, Extra, fragment, place_of, providers
from flexiapi.flexisip.releases import CALLS, RELEASES, Release
from flexiapi.settings import Settings

APP = {"url": "https://api.example.org", "sip_domain": "sip.example.org"}
ALL = frozenset(Extra)


def settings(url=APP["url"], **tables):
    replica = {"auth_replica": "/var/lib/flexiapi-sip/auth.sqlite"}
    return Settings(**{"app": {**APP, "url": url}, "flexisip": replica, **tables})


def values(release, extras=frozenset(), **options):
    file = read_conf(fragment(settings(**options), release, "the-key", extras))
    assert file.faults == []
    sections = {}
    for (section, key), entry in file.settings.items():
        sections.setdefault(section, {})[key] = entry.value
    return sections


SIGN_IN = "module::Authentication"
EVENT_LOG_OF_2_5 = {
    "enabled": "true",
    "logger": "flexiapi",
    "flexiapi-host": "api.example.org",
    "flexiapi-port": "443",
    "flexiapi-prefix": "/api/statistics/",
    "flexiapi-api-key": "the-key",
}


def test_every_release_has_the_sign_in_and_its_own_calls():
    assert set(values(Release(2, 2))) == {SIGN_IN}
    of_2_4 = {SIGN_IN, "event-logs", "b2bua-server", "b2bua-server::sip-bridge"}
    assert set(values(Release(2, 4), ALL)) == of_2_4
    assert set(values(Release(2, 5), ALL)) == {*of_2_4, "module::Authorization"}
    of_2_6 = {"global", "global::flexiapi", "module::Router", "module::PushNotification", "voicemail-server"}
    assert set(values(Release(2, 6), ALL)) == {*of_2_4, "module::Authorization", *of_2_6}
    assert values(Release(2, 7), ALL) == values(Release(2, 6), ALL)


def test_the_event_log_has_the_address_and_key_of_its_release():
    assert values(Release(2, 5))["event-logs"] == EVENT_LOG_OF_2_5
    assert values(Release(2, 4))["event-logs"] == EVENT_LOG_OF_2_5
    assert "flexiapi-api-key" not in values(Release(2, 3))["event-logs"]
    assert values(Release(2, 3))["event-logs"]["flexiapi-token"] == "the-key"
    assert values(Release(2, 6))["event-logs"] == {
        "enabled": "true",
        "logger": "flexiapi",
        "flexiapi-host": "",
        "flexiapi-prefix": "/api/statistics/",
    }


def test_2_6_has_one_address_and_key_for_all_calls():
    assert values(Release(2, 6))["global::flexiapi"] == {"url": "https://api.example.org", "api-key": "the-key"}
    assert values(Release(2, 6))["global"] == {"advanced-account-data": "flexiapi"}
    assert values(Release(2, 6))["module::Router"] == {"enable-call-diversions": "true", "max-call-diversions": "10"}


def test_what_needs_more_than_this_server_is_commented_out():
    assert not {"module::Authorization", "module::PushNotification", "voicemail-server"} & set(values(Release(2, 6)))
    text = fragment(settings(), Release(2, 6))
    for line in ("#auth-domains-mode=flexiapi", "#external-push-flexiapi=true", "#voicemail-server=sip:127.0.0.1:6066"):
        assert f"\n{line}" in text
    router = values(Release(2, 6), frozenset({Extra.VOICEMAIL}))["module::Router"]
    assert router["forwarding-status-codes"] == "408 486 603"


def test_domains_are_asked_for_in_the_way_of_the_release():
    openid = frozenset({Extra.OPENID})
    assert values(Release(2, 6), openid)["module::Authorization"] == {
        "enabled": "true",
        "auth-domains-mode": "flexiapi",
    }
    assert values(Release(2, 5), openid)["module::Authorization"] == {
        "enabled": "true",
        "account-manager-host": "api.example.org",
        "account-manager-port": "443",
        "account-manager-api-key": "the-key",
    }


def test_pushes_are_on_with_a_backend_of_this_server():
    backend = {"push": {"main": {"backend": "outbox"}}}
    assert values(Release(2, 6), **backend)["module::PushNotification"] == {"external-push-flexiapi": "true"}


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://api.example.org/", "https://api.example.org"),
        ("https://api.example.org:8443/fam/", "https://api.example.org:8443/fam"),
        ("http://api.example.org:8080", "https://api.example.org"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_the_address_is_that_of_the_front_server_with_tls(url, place):
    assert place_of(settings(url)).url == place


def test_a_path_is_before_the_prefix_where_flexisip_does_not_put_it_there_itself():
    url = "https://api.example.org/fam"
    assert values(Release(2, 5), url=url)["event-logs"]["flexiapi-prefix"] == "/fam/api/statistics/"
    assert values(Release(2, 6), url=url)["event-logs"]["flexiapi-prefix"] == "/api/statistics/"
    assert "Flexisip puts /fam before the path" in " ".join(fragment(settings(url), Release(2, 6)).split("\n# "))


def test_a_section_appears_once_also_with_external_authentication():
    text = fragment(settings(flexisip={"external_auth": True}), Release(2, 6))
    assert text.count("[global]\n") == 1
    assert read_conf(text).value("global", "plugins") == "external-auth"
    assert read_conf(text).value("global", "advanced-account-data") == "flexiapi"


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_a_key_that_is_not_given_is_a_placeholder_and_the_comments_say_who_makes_it(release):
    text = fragment(settings(), release)
    assert (PLACEHOLDER in text) == (release > Release(2, 2))
    assert ("flexiapi api-keys create --scope flexisip" in text) == (release > Release(2, 2))
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_the_fragment_has_every_setting_that_the_table_names(release):
    printed = {
        text
        for section, keys in values(release, ALL).items()
        for key, value in keys.items()
        for text in (f"{section}/{key}", f"{section}/{key}={value}")
    }
    assert {switch for call in CALLS for switch in call.switches_of(release)} - printed == set()


def test_the_providers_of_the_bridge_read_the_replica():
    file = json.loads(providers(settings()))
    loader = file["accountPools"]["flexiapi"]["loader"]
    assert loader["connection"] == "dbname=/var/lib/flexiapi-sip/auth.sqlite timeout=5 readonly=true"
    assert (loader["dbBackend"], loader["initQuery"]) == ("sqlite3", INIT_QUERY)
    assert loader["updateQuery"].endswith("WHERE id = :identifier")
    assert {one["accountPool"] for one in file["providers"]} == {"flexiapi"}
    with pytest.raises(ConfigurationError, match=r"set flexisip\.auth_replica"):
        providers(Settings())
