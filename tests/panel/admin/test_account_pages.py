"""The pages of one account: tabs, values, what belongs to it."""

import html
import re

import pytest

from flexiapi.model import Algorithm, ExternalAccount
from tests.kit.server import shared_by_module

server = shared_by_module({"redis": {"url": "redis://127.0.0.1:1", "timeout_seconds": 1}})

TABS = ["", "/contacts", "/provisioning", "/devices", "/activity"]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def anna(server):
    return server.person(email=None, display_name="Anna")


def place(person, tab=""):
    return f"/admin/accounts/{person.id}{tab}"


def values(browser, person):
    """The form of the values of an account."""
    browser.open(place(person))
    return browser.form(place(person)).fields


def problems(page):
    summary = re.search(r'<div class="summary".*?</div>', page.text, re.DOTALL)
    return [html.unescape(one) for one in re.findall(r"<li>(?:<a [^>]*>)?(.*?)(?:</a>)?</li>", summary[0])]


class TestTabs:
    @pytest.mark.parametrize("tab", TABS)
    def test_each_is_a_page_of_its_own_that_links_to_the_others(self, browser, anna, tab):
        page = browser.open(place(anna, tab))
        assert page.status_code == (503 if tab == "/devices" else 200)
        assert [f'href="{place(anna, one)}"' in page.text for one in TABS] == [True] * 5
        assert re.search(r'href="([^"]+)" aria-current="page">(?!Accounts)', page.text)[1] == place(anna, tab)
        assert f"<title>{anna.account.address}" in page.text

    @pytest.mark.parametrize(
        "fields",
        [
            {"display_name": HOSTILE, "user_agent": HOSTILE, "email": "a+b@example.org"},
            {"display_name": "\u0645\u0631\u062d\u0628\u0627 " + "x" * 240},
            {"username": "with+plus"},
            {"username": "+33612345678", "claimed_phone": "+33612345678", "activated": False, "unconfirmed": True},
            {"passwords": ()},
        ],
        ids=["html", "long", "plus", "phone", "bare"],
    )
    def test_unusual_accounts_have_all_of_them(self, server, browser, fields):
        person = server.person(**fields)
        for tab in TABS:
            page = browser.open(place(person, tab))
            assert page.status_code in (200, 503)
            assert HOSTILE not in page.text
            assert html.escape(fields.get("display_name", ""))[:40] in page.text

    def test_the_path_of_the_original_leads_to_the_values(self, browser, anna):
        assert browser.open(place(anna, "/edit")).url.path == place(anna)

    def test_accounts_that_do_not_exist_are_404(self, browser):
        for tab in [*TABS, "/delete", "/activate", "/types/create", "/actions/1/edit"]:
            assert browser.open(f"/admin/accounts/999999{tab}").status_code == 404


class TestValues:
    def test_all_are_saved_and_the_page_says_so(self, server, browser, anna):
        browser.open(place(anna))
        page = browser.send(
            place(anna),
            display_name="Zoe \u00c9",
            email="Zoe@Example.org",
            phone="+33 (0)6-12.34 56 78",
            dtmf_protocol="sipinfo",
            language="fr",
        )
        assert page.status_code == 200
        assert "The account is saved." in page.text
        account = server.account(anna.id)
        saved = (account.display_name, account.email, account.phone, account.dtmf_protocol, account.language)
        assert saved == ("Zoe \u00c9", "zoe@example.org", "+33612345678", "sipinfo", "fr")
        assert (account.username, account.is_admin, account.passwords) == (
            anna.account.username,
            False,
            anna.account.passwords,
        )

    def test_an_empty_field_removes_a_value_and_what_others_changed_meanwhile_stays(self, server, browser, anna):
        browser.open(place(anna))
        server.set(anna.id, dtmf_protocol="rfc2833", email="other@example.org", language="fr")
        browser.send(place(anna), display_name="", language="de")
        account = server.account(anna.id)
        assert (account.display_name, account.language) == (None, "de")
        assert (account.dtmf_protocol, account.email) == ("rfc2833", "other@example.org")

    @pytest.mark.parametrize("before", ["", "{", "[1]", '{"email": {"$gt": ""}}', "[" * 5000, '{"role": 1}'])
    def test_a_form_that_remembers_something_else_does_no_more_than_write_what_is_typed(
        self, server, browser, anna, before
    ):
        browser.open(place(anna))
        page = browser.send(place(anna), display_name="New", before=before)
        assert page.status_code == 200
        account = server.account(anna.id)
        assert (account.display_name, account.email, account.is_admin) == ("New", None, False)

    def test_errors_stand_at_their_fields_and_what_was_typed_is_kept_but_for_the_password(self, server, browser, anna):
        taken = server.person(phone="+33612340001")
        assert taken
        browser.open(place(anna))
        page = browser.send(
            place(anna), username="UPPER case", email="nonsense", phone="+33612340001", password="secret-typed-here"
        )
        assert page.status_code == 422
        assert len(problems(page)) >= 3
        for name in ("username", "email"):
            assert re.search(rf'href="#field-{name}"', page.text)
            assert re.search(rf'id="field-{name}-error"', page.text)
        assert 'value="nonsense"' in page.text
        assert "secret-typed-here" not in page.text
        assert server.account(anna.id).email is None

    def test_another_user_name_needs_a_password_and_signs_out(self, server, browser, anna):
        browser.open(place(anna))
        page = browser.send(place(anna), username="renamed+anna")
        assert page.status_code == 422
        assert 'href="#field-password"' in page.text
        page = browser.send(place(anna), username="renamed+anna", password="correct-horse-battery")
        assert page.status_code == 200
        account = server.account(anna.id)
        assert (account.username, account.api_key) == ("renamed+anna", None)
        assert account.sign_in_epoch > anna.account.sign_in_epoch

    def test_a_role_is_changed_only_soon_after_a_proof(self, server, browser, anna):
        browser.open(place(anna))
        server.later(minutes=11)
        page = browser.send(place(anna), role="admin")
        assert page.status_code in (403, 422)
        assert not server.account(anna.id).is_admin
        page = browser.send(place(anna), role="admin", current_password=browser.person.password)
        assert page.status_code == 200
        assert server.account(anna.id).is_admin
        page = browser.send(place(anna), role="end_user")
        assert not server.account(anna.id).is_admin

    def test_one_s_own_new_password_keeps_the_session_and_ends_the_others(self, server, browser):
        page = browser.open(place(browser.person))
        assert "This is your own account." in page.text
        page = browser.send(place(browser.person), password="another-horse-battery")
        assert (page.status_code, page.url.path) == (200, place(browser.person))
        assert browser.open("/admin/accounts").url.path == "/admin/accounts"

    def test_a_page_without_a_session_or_with_a_foreign_token_changes_nothing(self, server, browser, anna):
        browser.open(place(anna))
        form = browser.form(place(anna))
        for token in ("", "x" * 64, form.fields["form_token"][::-1]):
            answer = browser.http.post(form.action, data={**form.fields, "form_token": token, "display_name": "Eve"})
            assert answer.status_code == 403
            assert 'value="Eve"' in answer.text
        assert server.account(anna.id).display_name == "Anna"


class TestProvisioning:
    def test_a_new_link_is_shown_with_its_code_and_its_use_is_told(self, server, browser, anna):
        page = browser.open(place(anna, "/provisioning"))
        assert "There is no link that could be used now." in page.text
        browser.open(place(anna, "/provision"))
        page = browser.send(place(anna, "/provision"))
        assert page.url.path == place(anna, "/provisioning")
        link = re.search(r"<code data-copy>([^<]+)</code>", page.text)[1]
        assert link.startswith(f"{server.url}/provisioning/")
        assert 'src="data:image/png;base64,' in page.text
        phone = {"X-Linphone-Provisioning": "1", "User-Agent": "LinphoneAndroid/6 <b>"}
        assert anna.account.username in browser.http.get(link, headers=phone).text
        page = browser.open(place(anna, "/provisioning"))
        assert "There is no link that could be used now." in page.text
        assert "LinphoneAndroid/6 &lt;b&gt;" in page.text

    def test_a_link_is_mailed(self, server, browser):
        person = server.person(email="bert@example.org")
        browser.open(place(person, "/provision-mail"))
        page = browser.send(place(person, "/provision-mail"))
        assert "A new link is mailed." in page.text
        assert server.messages[-1]["to"] == "bert@example.org"

    def test_an_account_without_an_address_gets_no_mail_and_that_is_told(self, browser, anna):
        assert "provision-mail" not in browser.open(place(anna, "/provisioning")).text
        browser.open(place(anna, "/provision-mail"))
        page = browser.send(place(anna, "/provision-mail"))
        assert page.status_code == 403
        assert "No email configured" in page.text


class TestDevices:
    def test_a_registrar_that_is_down_is_told_on_the_page(self, browser, anna):
        page = browser.open(place(anna, "/devices"))
        assert page.status_code == 503
        assert 'aria-current="page">Devices' in page.text
        assert 'class="hint-box" role="status"' in page.text

    def test_a_registration_ends_only_by_the_button(self, browser, anna):
        path = place(anna, "/devices/urn%3Auuid%3A1%2F2/delete")
        assert "urn:uuid:1/2" in browser.open(path).text
        assert browser.send(path).status_code == 503


class TestActivity:
    def test_it_says_why_as_the_command_does(self, server, browser):
        person = server.person(activated=False, blocked_at=server.clock.second())
        page = browser.open(place(person, "/activity"))
        findings = server.run(server.services.accounts.diagnosis.of(server.account(person.id)))
        assert len(findings) >= 3
        text = html.unescape(page.text)
        for finding in findings:
            assert finding.reason in text
            assert finding.topic in text

    def test_it_has_origin_codes_sessions_and_changes(self, server, browser, anna):
        server.set(anna.id, ip_address="192.0.2.7", user_agent="Linphone <i>")
        server.run(server.store.journal.pending.move_of("accounts", anna.id))
        page = browser.open(place(anna, "/activity"))
        assert "192.0.2.7" in page.text
        assert "Linphone &lt;i&gt;" in page.text
        assert "<code>account.created</code>" in page.text
        own = browser.open(place(browser.person, "/activity"))
        assert browser.http.headers["User-Agent"] in own.text

    def test_a_session_is_ended(self, server, browser):
        page = browser.open(place(browser.person, "/activity"))
        path = re.search(r'href="(/admin/accounts/\d+/sessions/[0-9a-f]{64}/end)"', page.text)[1]
        browser.open(path)
        assert browser.open("/admin/accounts").status_code == 200
        browser.open(path)
        assert browser.send(path).url.path == "/login"
        assert browser.open("/admin/accounts").url.path == "/login"


class TestLinks:
    """Contacts, lists, types, actions and external accounts."""

    def test_contacts(self, server, browser, anna):
        bert = server.person()
        path = place(anna, "/contacts/create")
        browser.open(path)
        page = browser.send(path, contact="nobody.here")
        assert page.status_code == 422
        assert 'value="nobody.here"' in page.text
        browser.send(path, contact=f"sip:{bert.account.address.upper()}")
        assert server.account(anna.id).contact_ids == (bert.id,)
        browser.open(path)
        assert browser.send(path, contact=bert.account.username).status_code == 403
        removal = place(anna, f"/contacts/{bert.id}/delete")
        assert removal in browser.open(place(anna, "/contacts")).text
        assert bert.account.address in browser.open(removal).text
        assert server.account(anna.id).contact_ids == (bert.id,)
        browser.send(removal)
        assert server.account(anna.id).contact_ids == ()

    def test_types(self, server, browser, anna):
        one = server.run(server.store.types.add(f"type{anna.id}", server.actor))
        path = place(anna, "/types/create")
        browser.open(path)
        browser.send(path, type=str(one.id))
        assert server.account(anna.id).type_ids == (one.id,)
        assert one.key in browser.open(place(anna)).text
        removal = place(anna, f"/types/{one.id}/delete")
        browser.open(removal)
        browser.send(removal)
        assert server.account(anna.id).type_ids == ()

    def test_contacts_lists(self, server, browser, anna):
        one = server.run(server.store.contacts_lists.add(HOSTILE, "", server.actor))
        path = place(anna, "/contacts_lists/attach")
        assert HOSTILE not in browser.open(path).text
        browser.send(path, contacts_list=str(one.id))
        assert server.account(anna.id).contacts_list_ids == (one.id,)
        assert HOSTILE not in browser.open(place(anna, "/contacts")).text
        removal = place(anna, f"/contacts_lists/{one.id}/detach")
        browser.open(removal)
        browser.send(removal)
        assert server.account(anna.id).contacts_list_ids == ()

    def test_actions(self, server, browser, anna):
        path = place(anna, "/actions/create")
        assert browser.open(path).status_code == 403
        server.set(anna.id, dtmf_protocol="sipinfo")
        browser.open(path)
        page = browser.send(path, key="Not A Key", code="1")
        assert page.status_code == 422
        assert 'value="Not A Key"' in page.text
        browser.send(path, key="open", code="1")
        (action,) = server.account(anna.id).actions
        edit = place(anna, f"/actions/{action.id}/edit")
        browser.open(edit)
        browser.send(edit, key="close")
        assert [(one.key, one.code) for one in server.account(anna.id).actions] == [("close", "1")]
        removal = place(anna, f"/actions/{action.id}/delete")
        browser.open(removal)
        browser.send(removal)
        assert server.account(anna.id).actions == ()

    def test_an_external_account(self, server, browser, anna):
        path = place(anna, "/external-account")
        browser.open(path)
        page = browser.send(path)
        assert page.status_code == 403
        assert "No external account is left" in page.text
        external = ExternalAccount("outside", "sip.example.com", "group", "0" * 64, Algorithm.SHA_256)
        server.run(server.services.accounts.external_accounts.add([external], server.actor))
        browser.send(path)
        assert server.account(anna.id).external_account.username == "outside"
        assert "outside@sip.example.com" in browser.open(place(anna)).text
