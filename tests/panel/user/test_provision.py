"""Links that set up a phone, in the panel."""

import re
from base64 import b64decode

import pytest

from tests.panel.user.conftest import problems


def link_in(page):
    return re.search(r'<input id="new-link"[^>]* value="([^"]+)" readonly', page)[1]


def test_a_link_is_made_as_text_as_code_and_for_this_device(server, me, person):
    assert "No link was opened yet." in me.open("/provision").text
    page = me.send("/provision").text
    link = link_in(page)
    assert link.startswith(f"{server.url}/provisioning/")
    assert f'href="linphone-config:{link}"' in page
    image = b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', page)[1])
    assert image.startswith(b"\x89PNG")
    assert "It works until:" in page
    document = server.http.get(link, headers={"User-Agent": "LinphoneAndroid/5.2 (Pixel)"}).text
    assert person.account.passwords[0].ha1 in document
    assert person.account.passwords[0].ha1 not in page


def test_what_became_of_the_last_link_is_told(server, me, person):
    me.open("/provision")
    link = link_in(me.send("/provision").text)
    page = me.open("/provision").text
    assert "Waits to be opened" in page
    assert "Opened last" not in page
    server.later(minutes=2)
    server.http.get(link, headers={"User-Agent": "<b>Evil</b>/1 (<script>x</script>)"})
    page = me.open("/provision").text
    assert "Waits to be opened" not in page
    assert "Opened last" in page
    assert "127.0.0.1" in page
    assert "<b>Evil" not in page
    assert "<script>x" not in page
    assert server.account(person.id).last_provisioning.made_at is not None
    assert "Last phone set up" in me.open("/dashboard").text


def test_a_new_link_ends_the_one_before(server, me):
    me.open("/provision")
    first = link_in(me.send("/provision").text)
    second = link_in(me.send("/provision").text)
    assert first != second
    assert "ha1" not in server.http.get(first).text
    assert "ha1" in server.http.get(second).text


def test_what_the_phone_is_given_is_told_without_secrets(me, person):
    page = me.open("/provision").text
    assert f"&lt;sip:{person.sip}&gt;" in page
    assert "SIP server" in page
    assert page.count("secret, not shown") == len(person.account.passwords)
    assert person.account.passwords[0].ha1 not in page


def test_after_a_while_the_password_is_asked_first(server, stale, person):
    stale.open("/provision")
    answer = stale.send("/provision")
    assert (answer.status_code, bool(problems(answer))) == (403, True)
    assert server.account(person.id).provisioning_token is None
    assert link_in(stale.send("/provision", current_password=person.password).text)


@pytest.mark.parametrize("path", ["/provision", "/export", "/delete", "/contacts", "/contacts.vcf", "/dashboard"])
def test_nothing_is_shown_without_a_session(visitor, path):
    assert visitor.open(path).url.path == "/login"
