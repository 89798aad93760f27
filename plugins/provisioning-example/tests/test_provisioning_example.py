"""The example does what its README says, through the public contract alone."""

from datetime import UTC, datetime
from importlib.metadata import entry_points

import pytest

from flexiapi.provisioning.hooks import (
    GROUP,
    Account,
    Algorithm,
    Document,
    Entry,
    Password,
    ProvisioningRequest,
    Section,
)
from flexiapi_provisioning_example import ExampleHook

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALICE = Account(id=1, username="alice", domain="sip.example.org", created_at=NOW, updated_at=NOW, group="sales")


def test_it_is_installed_under_its_name():
    (point,) = entry_points(group=GROUP, name="example")
    assert point.load() is ExampleHook


def test_known_numbers_of_the_link_are_taken():
    section = Section("proxy_0")
    query = {"reg_expires": "600", "publish_expires": "soon", "reg_proxy": "<sip:elsewhere.example>"}
    ExampleHook().proxy(section, ProvisioningRequest(query), ALICE)
    assert section.entries == [Entry("reg_expires", "600", overwrite=True), Entry("publish", "1")]


def test_a_credential_says_what_it_is_good_for():
    section = Section("auth_info_0")
    ExampleHook().auth(section, ProvisioningRequest(), Password(Algorithm.SHA_256, "b" * 64))
    assert section.get("available_algorithms") == "SHA-256"
    old = Section("auth_info_0")
    request = ProvisioningRequest(headers={"user-agent": "Old Phone/1.0"})
    ExampleHook().auth(old, request, Password(Algorithm.SHA_256, "b" * 64))
    assert old.entries == []


@pytest.mark.parametrize(("account", "expected"), [(None, "anybody"), (ALICE, "alice@sip.example.org")])
def test_a_section_of_its_own(account, expected):
    document = Document()
    document.add("proxy_default_values").add("reg_proxy", "<sip:sip.example.org;transport=tls>")
    ExampleHook().additional_section(document, ProvisioningRequest(), account)
    assert document.sections[-1] == Section(
        "app", [Entry("language", "en"), Entry("provisioned_for", expected), Entry("secure_transport", "1")]
    )
