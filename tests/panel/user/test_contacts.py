"""One's own contacts, in the panel."""

EVIL = '"><script>alert(1)</script>'


def test_they_are_shown_by_their_lists_and_downloaded_as_cards(server, me, person):
    bob, carol = server.person(display_name="Bob", phone="+33612345111"), server.person(display_name=EVIL)
    stranger = server.person(display_name="Mallory")
    made = server.run(server.store.contacts_lists.add(f"Neighbours {EVIL}", "Of the house", server.actor))
    for one in (bob, carol):
        server.run(server.store.contacts_lists.add_contact(made.id, one.id, server.actor))
    assert "You have no contacts yet." in me.open("/contacts").text
    server.set(person.id, contact_ids=(bob.id,), contacts_list_ids=(made.id,))
    page = me.open("/contacts").text
    assert page.count(f">{bob.sip}<") == 2
    assert page.count(f">{carol.sip}<") == 1
    assert "+33612345111" in page
    assert "Of the house" in page
    assert "Mallory" not in page
    assert "<script>alert" not in page
    assert "2 contacts." in me.open("/dashboard").text
    answer = me.open("/contacts.vcf")
    assert answer.headers["content-type"].startswith("text/vcard")
    assert answer.headers["content-disposition"] == 'attachment; filename="contacts.vcf"'
    assert answer.text.count("BEGIN:VCARD") == 2
    assert f"IMPP:sip:{bob.sip}" in answer.text
    assert stranger.sip not in answer.text
    assert answer.text == server.http.get("/contacts/vcard", headers=person.headers).text


def test_without_contacts_the_file_is_empty(me):
    assert me.open("/contacts.vcf").text.strip() == ""


def test_a_contact_of_another_domain_is_not_shown(server, me, person):
    far = server.person(domain="elsewhere.example.net")
    server.set(person.id, contact_ids=(far.id,))
    assert far.sip not in me.open("/contacts").text


def test_what_apps_stored_is_named_downloaded_and_exported(server, me, person):
    assert "stored.vcf" not in me.open("/contacts").text
    text = f"BEGIN:VCARD\nVERSION:4.0\nUID:1\nFN:Dave {EVIL}\nEND:VCARD\n"
    server.run(server.services.contacts.cards.add(person.account, text))
    page = me.open("/contacts").text
    assert "Dave &#34;&gt;" in page
    assert "<script>alert" not in page
    answer = me.open("/contacts/stored.vcf")
    assert answer.headers["content-type"].startswith("text/vcard")
    assert answer.content.decode() == text.replace("\n", "\r\n")
    [exported] = me.open("/export").json()["vcards"]
    assert exported["vcard"] == text
