"""Settings that may differ by domain are read from the space of a request, and never from the sections."""

import ast
from pathlib import Path

import pytest

import flexiapi
from flexiapi.settings.spaces import OVERRIDABLE, field_of

PACKAGE = Path(flexiapi.__file__).parent
PLACES = (
    "services",
    "store",
    "rendering",
    "provisioning",
    "flexisip/replica.py",
    "flexisip/replication.py",
    "api",
    "panel",
)
SETTINGS = {("app", "sip_domain"), ("app", "admins_manage_multi_domains"), ("account", "public_domains")} | {
    (section, field_of(key)) for key, section in OVERRIDABLE.items()
}
# Lookups of the store that find accounts of every domain unless they get a scope.
LOOKUPS = {
    "by_id": 1,
    "by_ids": 1,
    "by_address": 2,
    "by_address_or_alias": 2,
    "by_api_key": 1,
    "by_provisioning_token": 1,
    "challenged": 2,
    "is_activated": 2,
    "has_other_active_admin": 1,
}
# Commands, and the removal and replacement of what is known by its id.
UNSCOPED = {
    *(("services/accounts/administrators.py", name) for name in ("by_address", "by_id")),
    # Commands of the operator, who sees all spaces.
    *(("services/accounts/support.py", name) for name in ("by_address", "by_address_or_alias", "by_id")),
    # What follows from events, which are those of all spaces.
    ("services/calls/voicemail_mails.py", "by_id"),
}


def modules(*places):
    for place in places:
        path = PACKAGE / place
        yield from [path] if path.suffix else sorted(path.rglob("*.py"))


def settings_read(source):
    """The settings of domains that the source reads as attributes of a section, such as `settings.app.sip_domain`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute | ast.Name):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
            is_of_space = ast.unparse(node.value).split(".")[0] == "space"
            if (owner.strip("_"), node.attr) in SETTINGS and not is_of_space:
                yield node.lineno, f"{owner}.{node.attr}"


def unscoped(source):
    """The lookups of accounts in the source that name no scope."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = ast.unparse(node.func.value)
        needed = LOOKUPS.get(node.func.attr)
        if (
            needed is not None
            and owner.endswith(("store.accounts", "accounts", "records"))
            and "directory" not in owner
        ):
            has_star = any(isinstance(argument, ast.Starred) for argument in node.args)
            if len(node.args) + len(node.keywords) <= needed and not has_star:
                yield node.lineno, node.func.attr


@pytest.mark.parametrize("path", list(modules(*PLACES)), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_setting_of_a_domain_is_read_from_its_section(path):
    assert list(settings_read(path.read_text())) == []


def test_such_settings_are_found():
    assert list(settings_read("def f(self):\n    return ground.settings.app.sip_domain")) == [(2, "app.sip_domain")]
    assert list(settings_read("account = settings.account\nself._realm = account.realm")) == [(2, "account.realm")]
    assert list(settings_read("space.realm, space.mail.signature, account.domain, self._settings.nonce_minutes")) == []


def test_every_lookup_of_services_names_its_scope():
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in modules("services")
        for _, name in unscoped(path.read_text())
    }
    assert found == UNSCOPED


def test_such_lookups_are_found():
    assert list(unscoped("self._store.accounts.by_id(account_id)")) == [(1, "by_id")]
    assert list(unscoped("self._store.accounts.by_id(account_id, space.scope)")) == []
