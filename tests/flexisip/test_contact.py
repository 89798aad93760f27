import string
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexiapi.flexisip.contact import bare_id, parse_contact
from flexiapi.model import PushAddress

UUID = "urn:uuid:0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
INSTANCE = f'"<{UUID}>"'
ANDROID = "LinphoneAndroid/5.2.5 (Galaxy S21) LinphoneSDK/5.3.0 (tags/5.3.0^0)"
# Made by sofia-sip's encoder, as Flexisip stores it.
ENCODED = (
    "<sip:alice@192.0.2.10:46211;pn-prid=AAAA:APA91b_x-y;pn-provider=fcm;pn-param=929724111839;pn-silent=1;"
    "transport=tls;fs-conn-id=5e8f2a;callid=0PqT~VdWxy;expires=3600;cseq=21;updatedAt=1721000000;alias=no;"
    "usedAsRoute=no?path=%3Csip%3A192.0.2.1%3A5061%3Btransport%3Dtls%3Blr%3E&accept=application/sdp%2Ctext/plain"
    "%2Capplication/vnd.gsma.rcs-ft-http+xml&user-agent=LinphoneAndroid/5.2.5%20(Galaxy%20S21)%20"
    f'LinphoneSDK/5.3.0%20(tags/5.3.0%5E0)>;+sip.instance={INSTANCE};+org.linphone.specs="ephemeral/1.1,groupchat/1.2,'
    'lime"'
)
BARE = (
    "<sip:bob@198.51.100.7:5070;callid=abc;expires=60;cseq=1;updatedAt=1721000000;alias=no"
    "?path=&accept=&user-agent=>;pub-gruu"
)
UPDATED = datetime(2024, 7, 14, 23, 33, 20, tzinfo=UTC)


def test_reads_a_contact_as_flexisip_encodes_it():
    contact = parse_contact(INSTANCE, ENCODED)
    assert contact.uuid == UUID
    assert contact.user_agent == ANDROID
    assert contact.updated_at == UPDATED
    assert contact.expires_at == UPDATED + timedelta(hours=1)
    assert not contact.alias


def test_a_contact_without_instance_and_user_agent_is_named_by_its_unique_id():
    contact = parse_contact("fs-gen-Zm9v_-8", BARE)
    assert (contact.uuid, contact.user_agent, contact.updated_at) == ("fs-gen-Zm9v_-8", "", UPDATED)


def test_a_display_name_may_hold_brackets_quotes_and_semicolons():
    value = r'"Alice \"<sip:mallory@evil;updatedAt=1>\" Doe" ' + ENCODED
    assert parse_contact(INSTANCE, value) == parse_contact(INSTANCE, ENCODED)
    assert parse_contact(INSTANCE, "Alice " + ENCODED).uuid == UUID


def test_an_old_record_is_a_bare_uri():
    contact = parse_contact("x", f"sip:bob@198.51.100.7;expires=60;updatedAt=1721000000;+sip.instance={INSTANCE}")
    assert (contact.uuid, contact.updated_at) == (UUID, UPDATED)
    assert contact.expires_at == UPDATED + timedelta(minutes=1)


def test_a_plus_is_no_blank():
    contact = parse_contact("x", "<sip:bob@h;updatedAt=1?user-agent=a+b%20c>")
    assert contact.user_agent == "a+b c"


def test_a_question_mark_in_the_user_part_starts_no_headers():
    contact = parse_contact("x", "<sip:a?b@h;updatedAt=1721000000;expires=60?path=&user-agent=Phone>")
    assert (contact.user_agent, contact.updated_at) == ("Phone", UPDATED)


def test_an_at_sign_in_the_call_id_hides_nothing():
    contact = parse_contact("x", "<sip:h;callid=a@b;updatedAt=1721000000?path=&user-agent=a@b>")
    assert (contact.user_agent, contact.updated_at) == ("a@b", UPDATED)


def test_the_contact_parameter_overrules_the_uri_parameter():
    value = "<sip:bob@h;expires=3600;updatedAt=1721000000>;expires=60"
    assert parse_contact("x", value).expires_at == UPDATED + timedelta(seconds=60)


def test_a_contact_lives_as_long_as_messages_are_kept_for_it():
    value = "<sip:bob@h;expires=60;updatedAt=1721000000>;message-expires=604800"
    assert parse_contact("x", value).expires_at == UPDATED + timedelta(days=7)


def test_ended_contacts_and_aliases_are_no_devices():
    end = UPDATED + timedelta(seconds=60)
    contact = parse_contact("x", BARE)
    assert contact.is_device(end - timedelta(seconds=1))
    assert not contact.is_device(end)
    assert not parse_contact("x", BARE.replace("alias=no", "alias=yes")).is_device(UPDATED)


def test_what_does_not_say_when_it_ends_has_not_ended():
    assert parse_contact("x", "<sip:bob@h;expires=60>").is_device(datetime.now(UTC))
    assert parse_contact("x", "<sip:bob@h;updatedAt=1721000000;expires=soon>").is_device(datetime.now(UTC))


def test_instance_ids_that_are_no_urn_keep_what_is_between_the_brackets():
    assert bare_id('"<my phone>"') == "my phone"
    assert bare_id('"plain"') == "plain"
    assert bare_id('"<>"') == '"<>"'


ids = st.text(string.ascii_letters + string.digits + ":-_.", min_size=1, max_size=40)
names = st.text(min_size=0, max_size=30).filter(lambda text: "\n" not in text)
seconds = st.integers(0, 10**9)


@given(
    instance=st.none() | ids,
    display_name=st.none() | names,
    user_agent=st.none() | st.text(max_size=60).filter(lambda text: text.isprintable()),
    updated=seconds,
    expires=seconds,
    message_expires=st.none() | seconds,
    alias=st.booleans(),
    user=st.sampled_from(["alice", "a?b", "a;b", "%40lice", "+33612345678"]),
    unique_id=ids,
)
def test_whatever_is_encoded_is_read_back(
    *, instance, display_name, user_agent, updated, expires, message_expires, alias, user, unique_id
):
    escaped = (display_name or "").replace("\\", "\\\\").replace('"', '\\"')
    quoted = "" if display_name is None else f'"{escaped}" '
    agent = "" if user_agent is None else "&user-agent=" + quote(user_agent, safe="/+()")
    value = (
        f"{quoted}<sip:{user}@192.0.2.1:5060;transport=tls;callid=x~y;expires={expires};cseq=1;updatedAt={updated}"
        f";alias={'yes' if alias else 'no'};usedAsRoute=no?path=%3Csip%3Aproxy%3Blr%3E&accept={agent}>;q=0.5"
    )
    if instance is not None:
        value += f';+sip.instance="<{instance}>"'
    if message_expires is not None:
        value += f";message-expires={message_expires}"
    contact = parse_contact(unique_id, value)
    assert contact.uuid == (unique_id if instance is None else instance)
    assert contact.user_agent == (user_agent or "")
    assert contact.updated_at.timestamp() == updated
    assert contact.expires_at.timestamp() == updated + max(expires, message_expires or 0)
    assert contact.alias == alias


@given(st.text(), st.text(string.ascii_letters + '<>?;&=%"\\@:. 0123456789'))
def test_no_text_makes_it_fail(unique_id, value):
    contact = parse_contact(unique_id, value)
    contact.is_device(datetime.now(UTC))
    assert contact.device.uuid == contact.uuid


def test_moments_beyond_the_calendar_are_left_out():
    contact = parse_contact("x", "<sip:bob@h;updatedAt=99999999999999999999;expires=99999999999999999999>")
    assert contact.is_device(datetime.now(UTC))


PUSHED = (
    "<sip:alice@203.0.113.7:46211;transport=tls;updatedAt=1721000000;expires=60;pn-provider=apns;"
    "pn-param=ABCD1234EF.org.linphone.phone.voip%26remote;pn-prid=a1%3Avoip%26b2%3Aremote>"
)


def test_a_device_tells_how_it_is_woken_where_it_is_and_when_it_ends():
    device = parse_contact("x", PUSHED).device
    push = PushAddress("apns", "ABCD1234EF.org.linphone.phone.voip&remote", "a1:voip&b2:remote")
    assert (device.push, device.host) == (push, "203.0.113.7")
    assert device.expires_at == UPDATED + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("good", "bad"), [("apns;", "a%0Apns;"), ("pn-prid=a1", "pn-prid=%0D%0A"), ("ABCD1234EF", "A" * 300)]
)
def test_a_push_address_that_no_backend_takes_is_none(good, bad):
    assert good in PUSHED
    assert parse_contact("x", PUSHED.replace(good, bad)).device.push is None


@pytest.mark.parametrize(
    ("uri", "host"),
    [("sip:192.0.2.1", "192.0.2.1"), ("sips:a@[2001:db8::1]:5061", "[2001:db8::1]"), ("tel:+336", ""), ("", "")],
)
def test_the_host_is_that_of_the_uri(uri, host):
    assert parse_contact("x", f"<{uri};updatedAt=1721000000>").host == host
