"""The provisioning documents of several spaces."""

import pytest

from flexiapi.errors import ProvisioningFailed
from flexiapi.model import Account, Algorithm, Password, Spaces
from flexiapi.provisioning.discovery import Hooks
from flexiapi.provisioning.spaces import SpaceDocuments
from flexiapi.settings import Settings
from tests.kit.watched_log import LOG

B = "b.example.org"


def test_each_space_has_its_base_file_url_and_realm(tmp_path):
    base, other = tmp_path / "base.rc", tmp_path / "b.rc"
    base.write_text("[sip]\nname=base\n")
    other.write_text("[sip]\nname=bee\n")
    given = {
        "app": {"url": "https://a.example.org"},
        "account": {"provisioning_rc_file": base, "realm": "one"},
        "spaces": {B: {"provisioning_rc_file": other, "realm": "bees"}},
    }
    spaces = Spaces.of(Settings.model_validate(given))
    documents = SpaceDocuments(spaces, Hooks())
    a, b = (documents.base(space, {}, {}).decode() for space in spaces)
    assert ">base<" in a
    assert "https://a.example.org/contacts/vcard" in a
    assert ">bee<" in b
    assert f"https://{B}/contacts/vcard" in b
    clear = (Password(Algorithm.CLRTXT, "secret"),)
    change = Account.new(None, username="bob", domain=B, passwords=clear)
    assert '<entry name="realm">bees</entry>' in documents.of(change.after, {}, {}).decode()
    other.write_text("no section")
    LOG.expected_errors = "the base provisioning file cannot be used"
    with pytest.raises(ProvisioningFailed):
        documents.base(spaces.of_domain(B), {}, {})
    assert ">base<" in documents.base(spaces.default, {}, {}).decode()


def test_each_space_says_what_its_apps_show_and_nothing_unless_it_is_set():
    given = {
        "ui": {"hide_settings": True, "super": False},
        "spaces": {B: {"ui_max_account": 1, "ui_hide_settings": ""}, "c.example.org": {}},
    }
    spaces = Spaces.of(Settings.model_validate(given))
    assert spaces.default.ui == spaces.of_domain("c.example.org").ui == (("hide_settings", "1"), ("super", "0"))
    assert spaces.of_domain(B).ui == (("super", "0"), ("max_account", "1"))
    documents = SpaceDocuments(spaces, Hooks())
    assert '<section name="ui"><entry name="super">0</entry>' in documents.base(spaces.of_domain(B), {}, {}).decode()
    plain = Spaces.of(Settings()).default
    assert b"ui" not in SpaceDocuments(Spaces(plain), Hooks()).base(plain, {}, {})
