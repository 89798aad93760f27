"""The page of the account's voicemail: players, downloads, removal."""

import re

import pytest

from flexiapi.panel.user.personal_data import OwnRecords, document_of
from tests.kit.server import serving, shared_by_module
from tests.kit.visitor import Visitor
from tests.kit.voicemail import left

server = shared_by_module({})


@pytest.fixture
def alice(server):
    return server.person()


@pytest.fixture
def visitor(server, alice):
    opened = Visitor(server.url)
    opened.sign_in(alice)
    yield opened
    opened.close()


def test_messages_are_played_and_saved_from_the_page(server, alice, visitor):
    assert "There are no messages." in visitor.open("/voicemail").text
    voicemail = left(server, alice)
    page = visitor.open("/voicemail")
    assert "bob@sip.example.org" in page.text
    path = voicemail["download_url"].removeprefix(server.url)
    assert f'<audio controls preload="none" src="{path}"' in page.text
    assert f'href="{path}/download"' in page.text
    # The player is of this site, which the policy of the page allows.
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert visitor.open(path).headers["content-type"] == "audio/wav"


def test_a_message_is_deleted_by_a_form_and_not_by_a_link(server, alice, visitor):
    left(server, alice)
    path = re.search(r'href="(/voicemail/delete\?message=[0-9a-f-]{36})"', visitor.open("/voicemail").text)[1]
    assert "Delete this message?" in visitor.open(path).text
    assert len(server.http.get("/api/accounts/me/voicemails", headers=alice.headers).json()) == 1
    page = visitor.send("/voicemail/delete")
    assert "The message is deleted." in page.text
    assert server.http.get("/api/accounts/me/voicemails", headers=alice.headers).json() == []
    assert visitor.open(path).status_code == 404


def test_the_message_of_another_account_does_not_exist(server, visitor):
    voicemail = left(server, server.person())
    assert visitor.open(f"/voicemail/delete?message={voicemail['id']}").status_code == 404


def test_the_export_of_the_person_lists_them_without_the_way_to_the_sound(server, alice):
    voicemail = left(server, alice)

    async def exported():
        return await server.services.accounts.personal_data.of(alice.account)

    (found,) = document_of(alice.account, OwnRecords(server.run(exported()), [], [], None))["voicemails"]
    assert (found["id"], found["size"]) == (voicemail["id"], voicemail["size"])
    assert found["caller"] == "sip:bob@sip.example.org"
    assert voicemail["download_url"].split("/")[-2] not in str(found)


def test_switched_off_there_is_no_page(tmp_path, mongod_uri):
    with serving({"voicemail": {"enabled": False}}, tmp_path, mongod_uri) as server:
        visitor = Visitor(server.url)
        page = visitor.sign_in(server.person())
        assert "/voicemail" not in page.text
        assert visitor.open("/voicemail").status_code == 404
        visitor.close()
