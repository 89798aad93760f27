"""Changes of one's own e-mail address and phone number, in the panel."""

import asyncio

import httpx
import pytest

from tests.panel.user.conftest import problems


def sent_to(server, target):
    return [message for message in server.messages if message.get("to", message.get("phone")) == target]


def asked(server, me, kind, target):
    """Ask for a change, and return the code."""
    me.open(f"/{kind}/change")
    answer = me.send(f"/{kind}/change", **{kind: target})
    assert (answer.status_code, answer.url.path) == (200, f"/{kind}/validate"), problems(answer)
    assert target in answer.text
    assert 'autocomplete="one-time-code"' in answer.text
    assert "(optional)" not in answer.text
    return sent_to(server, target)[-1]["code"]


def wrong(code):
    return f"{(int(code) + 1) % 10_000:04}"


@pytest.fixture(params=["email", "phone"])
def kind(request, server):
    name = request.param
    stamp = f"{server.clock.now().timestamp():.3f}".replace(".", "")
    return name, f"n{stamp}@example.org" if name == "email" else f"+336{stamp[-8:]}"


def test_the_code_changes_it_and_the_old_address_is_told(server, me, person, kind):
    name, target = kind
    code = asked(server, me, name, target)
    assert getattr(server.account(person.id), name) != target
    answer = me.send(f"/{name}", code=code)
    assert answer.url.path == "/dashboard"
    assert "is changed." in answer.text
    assert getattr(server.account(person.id), name) == target
    told = [message["kind"] for message in sent_to(server, person.account.email)]
    assert f"notice.{name}" in told


@pytest.mark.parametrize("way", ["spaces", "boxes"])
def test_codes_are_understood_as_people_type_them(server, me, person, kind, way):
    name, target = kind
    code = asked(server, me, name, target)
    parts = {f"number_{place}": digit for place, digit in enumerate(code, 1)}
    me.send(f"/{name}", **({"code": " ".join(code)} if way == "spaces" else {"code": "", **parts}))
    assert getattr(server.account(person.id), name) == target


def test_a_wrong_code_is_told_with_what_is_left_and_the_last_one_ends_the_change(server, me, person, kind):
    name, target = kind
    code = asked(server, me, name, target)
    for left in ("2", "1"):
        answer = me.send(f"/{name}", code=wrong(code))
        assert answer.status_code == 403
        assert problems(answer)[0][0] == "field-code"
        assert f"<dd>{left}</dd>" in answer.text
    answer = me.send(f"/{name}", code=wrong(code))
    assert "Begin it again" in answer.text
    assert me.form(f"/{name}/change")
    late = me.http.get(f"/{name}/validate")
    assert late.status_code == 404
    assert getattr(server.account(person.id), name) != target


def test_without_digits_no_try_is_used(server, me, person, kind):
    name, target = kind
    asked(server, me, name, target)
    for typed in ("", "12345", "abcd", "12"):
        assert me.send(f"/{name}", code=typed).status_code == 422
    assert getattr(server.account(person.id), f"{name}_change").attempts == 0


def test_an_expired_code_leads_back_to_the_beginning(server, me, person, kind):
    name, target = kind
    code = asked(server, me, name, target)
    server.later(minutes=11)
    answer = me.send(f"/{name}", code=code)
    assert (answer.url.path, "The code is over." in answer.text) == (f"/{name}/change", True)


def test_it_is_sent_again_after_a_minute_and_can_be_cancelled(server, me, person, kind):
    name, target = kind
    asked(server, me, name, target)
    early = me.send(f"/{name}/resend")
    assert early.status_code == 429
    assert int(early.headers["retry-after"]) <= 61
    assert len(sent_to(server, target)) == 1
    server.later(seconds=61)
    me.open(f"/{name}/validate")
    assert "We sent a code." in me.send(f"/{name}/resend").text
    code = sent_to(server, target)[-1]["code"]
    assert len(sent_to(server, target)) == 2
    answer = me.send(f"/{name}/cancel")
    assert answer.url.path == "/dashboard"
    assert getattr(server.account(person.id), f"{name}_change") is None
    assert me.http.get(f"/{name}/validate?code={code}").status_code == 404


def test_the_link_of_the_message_shows_the_code_and_changes_nothing_by_itself(server, me, person, kind):
    name, target = kind
    code = asked(server, me, name, target)
    (message,) = sent_to(server, target)
    link = f"{server.url}/{name}/validate?code={code}"
    assert link in message["text"]
    assert link in message.get("html", link)
    before = server.account(person.id)
    page = me.open(link)
    assert f'value="{code}"' in page.text
    assert server.account(person.id) == before
    me.send(f"/{name}")
    assert getattr(server.account(person.id), name) == target
    assert me.open(link).status_code == 404


def test_the_link_leads_a_browser_without_session_there_after_sign_in(server, me, person, kind):
    name, target = kind
    code = asked(server, me, name, target)
    me.http.cookies.clear()
    page = me.open(f"/{name}/validate?code={code}")
    assert page.url.path == "/login"
    answer = me.send("/authenticate", username=person.account.username, password=person.password)
    assert f'value="{code}"' in answer.text
    me.send(f"/{name}")
    assert getattr(server.account(person.id), name) == target


def test_a_link_of_a_wrong_code_is_a_try_like_a_typed_one(server, me, person, kind):
    name, target = kind
    code = asked(server, me, name, target)
    for _ in range(3):
        assert me.open(f"/{name}/validate?code={wrong(code)}").status_code == 200
    assert getattr(server.account(person.id), f"{name}_change").attempts == 0
    assert me.send(f"/{name}").status_code == 403
    assert getattr(server.account(person.id), f"{name}_change").attempts == 1


def test_fifty_parallel_uses_of_one_link_change_a_number_once(server, me, person):
    target = f"+3369{person.id:07}"
    code = asked(server, me, "phone", target)
    me.open(f"/phone/validate?code={code}")
    answers = me.send_at_once("/phone", 50)
    assert [answer.headers.get("location") for answer in answers].count("/dashboard") == 1
    assert server.account(person.id).phone == target
    assert [one["kind"] for one in sent_to(server, person.account.email)].count("notice.phone") == 1


@pytest.mark.parametrize("typed", ["0033 6 12 34 56 79", "+33 (0)6.12.34.56.79", "(+33) 612-345-679"])
def test_a_number_may_be_written_in_any_way_that_is_clear(server, me, person, typed):
    me.open("/phone/change")
    assert me.send("/phone/change", phone=typed).url.path == "/phone/validate"
    assert server.account(person.id).phone_change.target == "+33612345679"


def test_what_is_wrong_is_told_at_the_field_and_kept(server, me, person):
    other = server.person(phone="+33612340000")
    me.open("/phone/change")
    for typed in ("06 12 34 56 78", "<script>alert(1)</script>", other.account.phone):
        answer = me.send("/phone/change", phone=typed)
        assert answer.status_code == 422
        assert problems(answer)[0][0] == "field-phone"
        assert "<title>Error: " in answer.text
        assert "<script>alert" not in answer.text
    me.open("/email/change")
    assert problems(me.send("/email/change", email="no address"))[0][0] == "field-email"
    assert problems(me.send("/email/change", email=person.account.email))[0][0] == "field-email"


def test_after_a_while_the_password_is_asked_first(server, stale, person, kind):
    name, target = kind
    stale.open(f"/{name}/change")
    answer = stale.send(f"/{name}/change", **{name: target})
    assert answer.status_code == 403
    assert sent_to(server, target) == []
    assert 'autocomplete="current-password"' in answer.text
    assert target in answer.text
    stale.send(f"/{name}/change", current_password=person.password)
    assert len(sent_to(server, target)) == 1


def test_of_fifty_codes_at_once_no_more_are_compared_than_there_are_tries(server, me, person):
    target = f"crowd{person.id}@example.org"
    code = asked(server, me, "email", target)
    form = me.form("/email").fields

    async def guess():
        limits = httpx.Limits(max_connections=50)
        async with httpx.AsyncClient(base_url=server.url, cookies=dict(me.http.cookies), limits=limits) as client:
            codes = [f"{(int(code) + 1 + step) % 10_000:04}" for step in range(49)]
            headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
            sent = (client.post("/email", data={**form, "code": one}, headers=headers) for one in codes)
            return await asyncio.gather(*sent)

    answers = asyncio.run(guess())
    assert sum(answer.status_code == 403 for answer in answers) <= server.settings.account.pin_tries
    assert server.account(person.id).email_change is None
    assert server.account(person.id).email == person.account.email


def test_the_pages_of_one_account_do_nothing_for_another(server, me, person):
    stranger = server.person()
    asked(server, me, "email", f"mine{person.id}@example.org")
    assert server.account(stranger.id).email_change is None
    me.send("/email", code="0000", account_id=str(stranger.id), id=str(stranger.id))
    assert server.account(stranger.id).email is None
