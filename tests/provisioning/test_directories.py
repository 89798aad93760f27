"""Directories in provisioning documents."""

import xml.etree.ElementTree as ET

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.model import Account, Spaces
from flexiapi.provisioning.discovery import Hooks
from flexiapi.provisioning.document import NAMESPACE
from flexiapi.provisioning.spaces import SpaceDocuments
from flexiapi.settings import Settings
from tests.kit.sign_in_replica import NOW

A, B = "sip.example.org", "b.example.org"
URI = "https://dav.example.org/addressbooks/"
OF_B = {"uri": f"{URI}b/", "domain": B}
FULL = {
    "uri": f"{URI}staff/",
    "enabled": False,
    "min_characters": 2,
    "results_limit": 50,
    "timeout": 9,
    "delay": 250,
    "fields_for_user_input": ["FN", "ORG"],
    "fields_for_domain": ["X-SIP-DOMAIN"],
    "use_exact_match_policy": True,
}
PREFIX = "remote_contact_directory_"


def documents(directories, **account):
    tables = {"app": {"sip_domain": A, "url": "https://api.example.org"}, "spaces": {B: {}}, "account": account}
    settings = Settings(**tables, directories=directories)
    return SpaceDocuments(Spaces.of(settings), Hooks(), settings.directories)


def account(domain=A):
    return Account(1, "alice", domain, NOW, NOW, activated=True)


def found(document):
    """Return the sections of directories by name."""
    sections = ET.fromstring(document).iter(f"{{{NAMESPACE}}}section")
    return {
        section.get("name"): {entry.get("name"): entry.text for entry in section}
        for section in sections
        if section.get("name").startswith(PREFIX)
    }


def test_a_directory_has_the_entries_that_liblinphone_reads():
    assert found(documents({"staff": FULL}).of(account(), {}, {})) == {
        f"{PREFIX}0": {
            "enabled": "0",
            "type": "carddav",
            "uri": f"{URI}staff/",
            "min_characters": "2",
            "results_limit": "50",
            "timeout": "9",
            "delay": "250",
            "carddav_fields_for_user_input": "FN,ORG",
            "carddav_fields_for_domain": "X-SIP-DOMAIN",
            "carddav_use_exact_match_policy": "1",
        }
    }


def test_what_is_not_set_has_the_defaults_of_the_original_and_lists_are_left_out():
    (entries,) = found(documents({"staff": {"uri": URI}}).of(account(), {}, {})).values()
    assert {name: value for name, value in entries.items() if name not in ("uri", "type")} == {
        "enabled": "1",
        "min_characters": "3",
        "results_limit": "0",
        "timeout": "5",
        "delay": "500",
        "carddav_use_exact_match_policy": "0",
    }


def test_each_domain_has_its_own_directories_in_the_order_of_the_settings():
    made = documents({"z": {"uri": f"{URI}z/"}, "b": OF_B, "a": {"uri": f"{URI}a/", "domain": A}})
    for domain, uris in ((A, [f"{URI}z/", f"{URI}a/"]), (B, [f"{URI}b/"])):
        sections = found(made.of(account(domain), {}, {}))
        assert [entries["uri"] for entries in sections.values()] == uris
        assert list(sections) == [f"{PREFIX}{number}" for number in range(len(uris))]


def test_they_are_numbered_after_those_of_the_base_file(tmp_path):
    file = tmp_path / "base.rc"
    file.write_text(f"[{PREFIX}0]\nuri={URI}base/\n")
    made = documents({"staff": {"uri": URI}}, provisioning_rc_file=str(file))
    assert {name: entries["uri"] for name, entries in found(made.of(account(), {}, {})).items()} == {
        f"{PREFIX}0": f"{URI}base/",
        f"{PREFIX}1": URI,
    }


def test_the_document_without_an_account_has_none_and_others_are_as_they_were():
    space = Spaces.of(Settings(app={"sip_domain": A}, spaces={B: {}})).default
    with_one, without = documents({"b": OF_B}), documents({})
    assert with_one.base(space, {}, {}) == without.base(space, {}, {})
    assert with_one.of(account(), {}, {}) == without.of(account(), {}, {})
    assert with_one.of(account(B), {}, {}) != without.of(account(B), {}, {})


def test_entries_overwrite_as_all_others_do():
    made = documents({"staff": {"uri": URI}}, provisioning_overwrite_all=True)
    assert b'<entry name="uri" overwrite="true">' in made.of(account(), {}, {})


def test_a_directory_of_an_unknown_domain_is_refused():
    with pytest.raises(ConfigurationError, match=r"\[directories\.x\] domain: c\.example\.org is neither"):
        documents({"x": {"uri": URI, "domain": "c.example.org"}})


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("Staff!", "uri", URI),
        ("staff", "uri", "dav.example.org"),
        ("staff", "uri", "https://user:secret@dav.example.org/"),
        ("staff", "min_characters", 0),
        ("staff", "results_limit", -1),
        ("staff", "timeout", 0),
        ("staff", "delay", 99),
        ("staff", "fields_for_user_input", ["FN,ORG"]),
        ("staff", "port", 443),
    ],
)
def test_what_a_phone_could_not_use_is_refused(name, setting, value):
    with pytest.raises(ValueError, match="directories"):
        Settings(directories={name: {"uri": URI, setting: value}})


class TestThroughTheApi:
    @pytest.fixture
    def configure(self):
        return {"directories": {"staff": {"uri": URI}}}

    def test_phones_get_it_with_their_account(self, http, alice):
        own = http.get("/provisioning/me", headers=alice.headers)
        assert [entries["uri"] for entries in found(own.content).values()] == [URI]
        assert found(http.get("/provisioning").content) == {}
