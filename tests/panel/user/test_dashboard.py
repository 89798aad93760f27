"""The dashboard of one's own account."""

EVIL = '"><script>alert(1)</script>'


def test_it_shows_the_state_of_all_parts_and_leads_to_their_pages(server, me, person):
    page = me.open("/dashboard").text
    assert person.sip in page
    assert "data-copy" in page
    assert person.account.email in page
    assert "No phone number yet" in page
    assert "One browser is signed in." in page
    assert "Active" in page
    assert "None now" in page
    for path in (
        *("/provision", "/devices", "/email/change", "/phone/change", "/password", "/api_key", "/sessions"),
        *("/contacts", "/export", "/delete"),
    ):
        assert f'href="{path}"' in page


def test_what_waits_for_a_code_is_shown_with_the_way_on(server, me, person):
    changes = server.services.codes.address_changes
    server.run(changes.request_phone(person.account, "+33612345678", server.actor))
    page = me.open("/dashboard").text
    assert "Waits for its code" in page
    assert "+33612345678" in page
    assert 'href="/phone/validate"' in page


def test_names_that_are_markup_stay_text(server, me, person):
    server.set(person.id, display_name=EVIL, email=f"a{EVIL}@example.org", group=EVIL, user_agent=EVIL)
    for path in ("/dashboard", "/contacts", "/provision", "/delete", "/password", "/api_key", "/email/change"):
        page = me.open(path).text
        assert "<script>alert" not in page, path


def test_pages_need_no_script_and_have_none_inside(me):
    for path in (
        *("/dashboard", "/api_key", "/email/change", "/phone/change", "/password", "/devices", "/provision"),
        *("/contacts", "/delete"),
    ):
        answer = me.open(path)
        assert answer.status_code == 200, path
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert " style=" not in answer.text, path
        assert " onclick" not in answer.text, path
        assert answer.headers["cache-control"] == "no-store", path
