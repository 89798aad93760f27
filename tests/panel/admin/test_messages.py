"""Text messages that administrators send from a page."""

import re

import pytest

from tests.api.test_messages import daemon
from tests.kit.server import serving
from tests.kit.visitor import Visitor

__all__ = ["daemon"]


@pytest.fixture
def server(tmp_path_factory, mongod_uri, daemon):
    tables = {"app": {"linphone_daemon_unix_path": str(daemon[0])}, "spaces": {"b.example.org": {}}}
    with serving(tables, tmp_path_factory.mktemp("messages"), mongod_uri) as running:
        yield running


def test_a_message_is_sent_to_an_address_of_this_service(browser, daemon):
    _, commands, answers = daemon
    answers.append("Status: Ok\n\nId: one\n\n")
    browser.open("/admin/messages")
    page = browser.send("/messages", to="sip:bob@sip.example.org", body="Héllo Bob")
    assert "The message is sent." in page.text
    assert commands == ["message sip:bob@sip.example.org Héllo Bob\n"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"to": "", "body": "x"}, "#field-to"),
        ({"to": "sip:bob@sip.example.org", "body": ""}, "#field-body"),
        ({"to": "sip:bob@b.example.org", "body": "x"}, "#field-to"),
        ({"to": "sip:bob@sip.example.org", "body": "x" * 16_385}, "#field-body"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_sent(browser, daemon, values, problem):
    browser.open("/admin/messages")
    page = browser.send("/messages", **values)
    assert page.status_code == 422
    assert re.findall(r'<li><a href="(#field-\w+)">', page.text) == [problem]
    assert browser.form("/messages").fields["to"] == values["to"]
    assert daemon[1] == []


def test_without_a_way_to_send_the_page_says_so(tmp_path_factory, mongod_uri):
    with serving({}, tmp_path_factory.mktemp("silent"), mongod_uri) as running:
        visitor = signed_in(running)
        page = visitor.open("/admin/messages")
        assert "This server has no way to send messages." in page.text
        assert 'action="/admin/messages"' not in page.text
        visitor.close()


def signed_in(server):
    visitor = Visitor(server.url)
    visitor.sign_in(server.person(admin_since=server.clock.second()))
    return visitor
