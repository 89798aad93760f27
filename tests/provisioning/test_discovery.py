"""Hooks are found by entry point, and only those that the settings name."""

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.provisioning import discovery

MODULE = """
from flexiapi.provisioning.hooks import ProvisioningHook

class Good(ProvisioningHook):
    def additional_section(self, document, request, account):
        document.add("good")

class Waiting(ProvisioningHook):
    async def proxy(self, section, request, account): ...

class Broken(ProvisioningHook):
    def __init__(self):
        raise RuntimeError("no licence")

class Other: ...
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with these entry points on the path."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(distribution, points):
        folder = tmp_path / f"{distribution}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
        listed = "".join(f"{name} = {value}\n" for name, value in points.items())
        (folder / "entry_points.txt").write_text(f"[flexiapi.provisioning]\n{listed}")
        (tmp_path / f"{distribution}_hooks.py").write_text(MODULE)

    return installed


def test_only_named_hooks_are_imported(install):
    install("alpha", {"t-good": "alpha_hooks:Good", "t-missing": "no_such_module:Hook"})
    assert not discovery.load([]).add_sections
    assert discovery.load(["t-good"]).add_sections


def test_an_unknown_name_lists_the_known(install):
    install("beta", {"t-known": "beta_hooks:Good"})
    with pytest.raises(ConfigurationError, match=r"no hook 't-lost' is installed \(installed: .*t-known"):
        discovery.load(["t-lost"])


def test_one_name_in_two_distributions_names_both(install):
    install("gamma", {"t-twice": "gamma_hooks:Good"})
    install("delta", {"t-twice": "delta_hooks:Good"})
    with pytest.raises(ConfigurationError, match="installed by delta and gamma"):
        discovery.load(["t-twice"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("epsilon_hooks:Nothing", "does not load"),
        ("no_such_module:Hook", "does not load: No module named"),
        ("epsilon_hooks:Broken", "does not load: no licence"),
        ("epsilon_hooks:Other", "is not a ProvisioningHook"),
        ("epsilon_hooks:Waiting", "proxy must not be a coroutine"),
    ],
)
def test_what_cannot_be_a_hook_stops_the_start(install, value, reason):
    install("epsilon", {"t-bad": value})
    with pytest.raises(ConfigurationError, match=reason):
        discovery.load(["t-bad"])
