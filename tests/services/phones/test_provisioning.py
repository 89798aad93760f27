"""The content of a provisioning document, for a person to read before the phone fetches it."""

import json
from datetime import timedelta

import pytest

from flexiapi.crypto.keys import opened
from flexiapi.model import Algorithm, ExternalAccount

BASE_FILE = """
[sip]
default_proxy=0
[misc]
hide_password=1
user_token=s3cr3t-of-file
pin=1234
pinned_topics=2
"""


@pytest.fixture
def configure(tmp_path):
    file = tmp_path / "base.rc"
    file.write_text(BASE_FILE)
    return {"account": {"provisioning_rc_file": str(file), "proxy_registrar_address": "proxy.example.org"}}


def test_the_content_is_that_of_the_document_without_secrets(server, http):
    external = ExternalAccount("line7", "trunk.example.net", "g", "e" * 32, Algorithm.MD5)
    alice = server.person("alice.martin", display_name="Alice", external_account=external)
    content = server.services.phones.provisioning.content(alice.account)
    values = {(entry.section, entry.name): entry.value for entry in content}
    assert values["proxy_0", "reg_identity"] == '"Alice" <sip:alice.martin@sip.example.org>'
    assert values["proxy_0", "reg_proxy"] == "<sip:proxy.example.org;transport=tls>"
    assert values["auth_info_0", "algorithm"] == "SHA-256"
    hidden = {key for key, value in values.items() if value is None}
    assert hidden == {
        ("auth_info_0", "ha1"),
        ("auth_info_1", "ha1"),
        ("misc", "hide_password"),
        ("misc", "user_token"),
        ("misc", "pin"),
    }
    xml = http.get("/provisioning/me", headers=alice.headers).text
    assert all(f'name="{name}"' in xml for _, name in values)
    shown = json.dumps(list(values.values()))
    assert not any(secret in shown for secret in ("e" * 32, alice.account.passwords[0].ha1, "s3cr3t", "1234"))


def test_the_fetch_of_a_link_is_kept(server, http):
    alice = server.person("alice.martin")
    assert alice.account.last_provisioning is None
    assert server.services.phones.provisioning.ends_at(alice.account) is None
    provisioning = server.services.phones.provisioning
    account = server.run(provisioning.new_token(alice.account, server.actor))
    assert provisioning.ends_at(account) == account.provisioning_token_at + timedelta(hours=720)
    link = f"/provisioning/{opened(account.provisioning_token)}"
    http.get(link, headers={"User-Agent": "LinphoneAndroid/5.2 (<b>x</b>)"})
    kept = server.account(alice.id).last_provisioning
    assert (kept.address, kept.user_agent) == ("127.0.0.1", "LinphoneAndroid/5.2 (<b>x</b>)")
    assert kept.made_at == account.provisioning_token_at
    http.get(link, headers={"User-Agent": "Second"})
    assert server.account(alice.id).last_provisioning == kept
