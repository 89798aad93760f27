"""The phones that are registered with one's own account, in the panel."""

import time

import pytest

from tests.kit.ports import free_port
from tests.kit.server import serving
from tests.kit.visitor import Visitor
from tests.panel.user.conftest import problems

PUSHED = ";pn-provider=fcm;pn-param=929724111839;pn-prid=abc"


@pytest.fixture
def register(redis_server, person):
    """Register a phone: `register(uuid, user agent, parameters, host)`."""

    def registered(uuid, agent="LinphoneAndroid/5.2.5 (Pixel) LinphoneSDK/5.3", parameters="", host="192.0.2.10"):
        quoted = agent.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
        contact = (
            f"<sip:a@{host}:5061;updatedAt={int(time.time())};expires=600{parameters}?user-agent={quoted}>"
            f';+sip.instance="<{uuid}>"'
        )
        with redis_server.client() as client:
            client.hset(f"fs:{person.sip}", f'"<{uuid}>"', contact)

    return registered


def test_a_registered_phone_is_named_in_words(me, register):
    register("urn:uuid:one", parameters=PUSHED, host="127.0.0.1")
    register("urn:uuid:two", "")
    page = me.open("/devices").text
    assert "Linphone Android 5.2.5, Pixel" in page
    assert "Unknown phone" in page
    assert "fcm" in page
    assert page.count("At your present address") == 1
    assert page.count("Elsewhere") == 1
    assert "urn%3Auuid%3Aone" in page
    assert "abc" not in page.replace("fcm", "")[page.index("<table") : page.index("</table")]


def test_it_is_removed_after_a_question_and_only_once(me, register):
    register("urn:uuid:x/y?z")
    me.open("/devices")
    question = me.open("/devices/delete/urn%3Auuid%3Ax%2Fy%3Fz")
    assert question.status_code == 200
    assert "Linphone Android" in question.text
    answer = me.send("/devices")
    assert (answer.url.path, "The phone is removed." in answer.text) == ("/devices", True)
    assert "No phone is registered now." in answer.text
    assert me.open("/devices/delete/urn%3Auuid%3Ax%2Fy%3Fz").status_code == 404


def test_a_phone_of_another_account_does_not_exist(server, me, register, redis_server):
    other = server.person()
    with redis_server.client() as client:
        client.hset(f"fs:{other.sip}", '"<urn:uuid:theirs>"', f"<sip:a@h;updatedAt={int(time.time())};expires=600>")
    register("urn:uuid:mine")
    assert me.open("/devices/delete/urn%3Auuid%3Atheirs").status_code == 404
    me.open("/devices/delete/urn%3Auuid%3Amine")
    assert me.send("/devices", uuid="urn:uuid:theirs").status_code == 404
    with redis_server.client() as client:
        assert client.hlen(f"fs:{other.sip}") == 1


def test_a_test_push_goes_to_phones_that_can_be_woken_and_is_limited(server, me, register):
    register("urn:uuid:one", parameters=PUSHED)
    register("urn:uuid:two")
    me.open("/devices")
    assert "A test push was accepted for phones: 1." in me.send("/devices/push").text
    (push,) = [message for message in server.messages if message.get("kind") == "test"]
    assert push["data"] == {"test": "hello"}
    assert (push["provider"], push["prid"], push["title"]) == (
        "fcm",
        "abc",
        "FlexiAPI: This is a test. Your phone can be reached.",
    )
    me.send("/devices/push")
    limited = me.send("/devices/push")
    assert limited.status_code == 429
    assert problems(limited)


def test_without_a_phone_that_can_be_woken_that_is_said(me, register):
    register("urn:uuid:two")
    me.open("/devices")
    assert "No registered phone says how it can be woken by push." in me.send("/devices/push").text


def test_a_name_that_is_markup_stays_text(me, register):
    register("urn:uuid:evil", "<script>alert(1)</script>/1 (<img src=x>)")
    for path in ("/devices", "/devices/delete/urn%3Auuid%3Aevil"):
        page = me.open(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_messages_cannot_be_sent_without_a_way(me):
    page = me.open("/devices").text
    assert "This service cannot send messages" in page
    assert "/devices/message" not in page


def test_a_test_message_goes_to_the_own_address(sipp, tmp_path, mongod_uri):
    proxy = sipp("200 OK")
    tables = {"flexisip": {"proxy": f"sip:127.0.0.1:{proxy.port};transport=udp", "sender": "api@sip.example.org"}}
    with serving(tables, tmp_path, mongod_uri) as server:
        alice, browser = server.person("alice.martin"), Visitor(server.url)
        assert "This service cannot tell." in browser.sign_in(alice).text
        page = browser.open("/devices").text
        assert "This service cannot tell which phones are registered" in page
        assert "A test message is on its way" in browser.send("/devices/message").text
        browser.close()
    (request,) = proxy.requests()
    assert request.startswith("MESSAGE sip:alice.martin@sip.example.org ")


def test_a_registrar_or_sender_that_is_away_is_told_in_the_page(tmp_path, mongod_uri):
    tables = {
        "redis": {"host": "127.0.0.1", "port": free_port()},
        "flexisip": {"proxy": f"sip:127.0.0.1:{free_port()};transport=tcp", "sender": "api@sip.example.org"},
    }
    with serving(tables, tmp_path, mongod_uri) as server:
        alice, browser = server.person("alice.martin"), Visitor(server.url)
        answer = browser.sign_in(alice)
        assert answer.status_code == 200
        assert "The registrar is not available now." in answer.text
        page = browser.open("/devices")
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "The registrar is not available now." in page.text
        for button in ("/devices/push", "/devices/message"):
            browser.open("/devices")
            failed = browser.send(button)
            assert failed.status_code == 503
            assert "is not available now" in failed.text
        browser.close()


def test_the_page_can_be_switched_off(tmp_path, mongod_uri):
    with serving({"panel": {"devices": False}}, tmp_path, mongod_uri) as server:
        alice, browser = server.person("alice.martin"), Visitor(server.url)
        dashboard = browser.sign_in(alice).text
        assert "/devices" not in dashboard
        for path in ("/devices", "/devices/delete/x", "/devices/push", "/devices/message"):
            assert browser.open(path).status_code == 404
        browser.close()
