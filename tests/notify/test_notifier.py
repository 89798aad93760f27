import asyncio

import pytest
from structlog.testing import capture_logs

from flexiapi.errors import ConfigurationError, DeliveryFailed, DeviceUnregistered
from flexiapi.notify import Notifier
from flexiapi.plugin import (
    MailMessage,
    Permanent,
    PushMessage,
    RecipientDeferred,
    RecipientRefused,
    Retryable,
    SmsMessage,
    Throttled,
    Unregistered,
)
from flexiapi.settings import Settings

FRENCH = SmsMessage("+33612345678", "hello")
MAIL = MailMessage("alice@example.org", "Hello", "text")
DELIVERY = {"deadline_seconds": 12, "tries": 1}


def notifier(tmp_path, delivery=None, **tables):
    return Notifier(
        Settings.model_validate({"data": {"path": tmp_path}, "delivery": {**DELIVERY, **(delivery or {})}, **tables})
    )


def run(notifier, use):
    async def whole():
        await notifier.start()
        try:
            return await use(notifier)
        finally:
            await notifier.close()

    return asyncio.run(whole())


TWO = {"first": {"backend": "scripted", "order": 1}, "second": {"backend": "other", "order": 2}}


@pytest.mark.parametrize("trouble", [Retryable("busy"), Permanent("bad number"), RuntimeError(), 3600])
def test_the_next_backend_is_tried_when_one_fails(scripted, tmp_path, trouble):
    scripted.Sms.script[:] = [trouble]
    run(notifier(tmp_path, sms=TWO), lambda n: n.sms(FRENCH))
    assert (len(scripted.Sms.sent), len(scripted.Other.sent)) == (1, 1)


@pytest.mark.parametrize("kind", [RecipientRefused, RecipientDeferred])
def test_an_answer_about_the_address_goes_to_no_other_backend(scripted, tmp_path, kind):
    scripted.Sms.script[:] = [kind("opted out")]
    with pytest.raises(DeliveryFailed) as caught:
        run(notifier(tmp_path, sms=TWO), lambda n: n.sms(FRENCH))
    assert caught.value.reason == "opted out"
    assert (len(scripted.Sms.sent), len(scripted.Other.sent)) == (1, 0)


def test_a_throttling_provider_leaves_the_message_to_the_next(scripted, tmp_path):
    scripted.Sms.script[:] = [Throttled("quota")]
    run(notifier(tmp_path, sms=TWO), lambda n: n.sms(FRENCH))
    [first], [second] = scripted.Sms.sent, scripted.Other.sent
    assert first.idempotency_key == second.idempotency_key


def test_a_call_goes_to_a_backend_that_can_call(scripted, tmp_path, monkeypatch):
    call = SmsMessage("+33612345678", "4, 7, 1, 1", channel="voice")
    with pytest.raises(DeliveryFailed):
        run(notifier(tmp_path, sms=TWO), lambda n: n.sms(call))
    assert not notifier(tmp_path, sms=TWO).can_call("+33612345678")
    monkeypatch.setattr(scripted.Other, "channels", frozenset({"text", "voice"}), raising=False)
    run(notifier(tmp_path, sms=TWO), lambda n: n.sms(call))
    assert (len(scripted.Sms.sent), scripted.Other.sent) == (0, [call])
    french = {"french": {"backend": "other", "prefixes": ["+33"]}}
    assert notifier(tmp_path, sms=french).can_call("+33612345678")
    assert not notifier(tmp_path, sms=french).can_call("+4930123456")


@pytest.mark.parametrize("channels", [None, property(lambda self: 1 / 0), lambda self: frozenset({"voice"})])
def test_channels_that_are_no_set_are_none(scripted, tmp_path, monkeypatch, channels):
    monkeypatch.setattr(scripted.Sms, "channels", channels, raising=False)
    only = {"first": TWO["first"]}
    assert not notifier(tmp_path, sms=only).can_call("+33612345678")
    with pytest.raises(DeliveryFailed):
        run(notifier(tmp_path, sms=only), lambda n: n.sms(SmsMessage("+33612345678", "4, 7, 1, 1", channel="voice")))


def test_lower_order_comes_first(scripted, tmp_path):
    turned = {"first": {**TWO["first"], "order": 3}, "second": TWO["second"]}
    run(notifier(tmp_path, sms=turned), lambda n: n.sms(FRENCH))
    assert (len(scripted.Sms.sent), len(scripted.Other.sent)) == (0, 1)


def test_all_fail(scripted, tmp_path):
    scripted.Sms.script[:] = [Retryable("busy")]
    scripted.Other.script[:] = [Permanent("bad number")]
    with pytest.raises(DeliveryFailed) as caught:
        run(notifier(tmp_path, sms=TWO), lambda n: n.sms(FRENCH))
    assert caught.value.status == 503
    assert caught.value.__cause__.reason == "bad number"


def test_sms_by_country_prefix(scripted, tmp_path):
    tables = {"world": {"backend": "scripted"}, "france": {"backend": "other", "prefixes": "+33,+596"}}

    async def both(n):
        await n.sms(FRENCH)
        await n.sms(SmsMessage("+4930123456", "hello"))

    run(notifier(tmp_path, sms=tables), both)
    assert [message.phone for message in scripted.Other.sent] == ["+33612345678"]
    assert [message.phone for message in scripted.Sms.sent] == ["+4930123456"]


def test_prefixes_that_leave_a_country_out(scripted, tmp_path):
    with pytest.raises(DeliveryFailed):
        run(notifier(tmp_path, sms={"germany": {"backend": "other", "prefixes": ["+49"]}}), lambda n: n.sms(FRENCH))
    assert not scripted.Other.sent


def test_push_by_provider(scripted, tmp_path):
    with_push = notifier(tmp_path, push={"android": {"backend": "scripted"}})
    run(with_push, lambda n: n.push(PushMessage("fcm", "929", "token", {})))
    with pytest.raises(DeliveryFailed):
        run(with_push, lambda n: n.push(PushMessage("apns", "929", "token", {})))
    assert [message.provider for message in scripted.Push.sent] == ["fcm"]


def test_dead_push_address(scripted, tmp_path):
    scripted.Push.script[:] = [Unregistered("gone")]
    with pytest.raises(DeviceUnregistered):
        run(
            notifier(tmp_path, push={"a": {"backend": "scripted"}, "b": {"backend": "scripted"}}),
            lambda n: n.push(PushMessage("fcm", "929", "token", {})),
        )
    assert len(scripted.Push.sent) == 1


def test_nothing_configured(tmp_path):
    with capture_logs() as logs, pytest.raises(DeliveryFailed):
        run(notifier(tmp_path), lambda n: n.mail(MAIL))
    consequence = "such messages cannot be sent"
    told = [entry for entry in logs if entry["event"] == "no backend is configured"]
    assert told == [
        {
            "event": "no backend is configured",
            "log_level": "warning",
            **dict.fromkeys(("push", "sms", "mail"), consequence),
        }
    ]


def test_fallback_serves_what_has_no_backend_and_says_so(scripted, tmp_path):
    with_fallback = notifier(tmp_path, {"fallback_backend": "scripted"}, sms={"main": {"backend": "other"}})
    with capture_logs() as logs:
        run(with_fallback, lambda n: n.mail(MAIL))
    assert scripted.Mail.sent == [MAIL]
    [warned] = [entry for entry in logs if entry["log_level"] == "warning"]
    consequence = "messages go to `scripted`: nobody receives them"
    assert (warned.get("push"), warned.get("sms"), warned.get("mail")) == (consequence, None, consequence)


def test_doubts_of_a_backend_about_its_settings_are_logged_at_the_start_and_told_by_a_check(scripted, tmp_path):
    scripted.Sms.warnings = lambda backend: ["the token goes to localhost in clear text"]
    scripted.Other.warnings = lambda backend: 1 / 0
    with capture_logs() as logs:
        checked = run(notifier(tmp_path, sms=TWO), lambda n: n.check())
    told = [(entry["backend"], entry["text"]) for entry in logs if entry["event"] == "setting is doubtful"]
    assert told == [("sms.first", "the token goes to localhost in clear text")]
    assert [one.warnings for one in checked] == [("the token goes to localhost in clear text",), ()]
    assert {one.error for one in checked} == {None}


def test_close_closes_all(scripted, tmp_path):
    run(notifier(tmp_path, sms=TWO), lambda n: n.check())
    assert (len(scripted.Sms.closed), len(scripted.Other.closed)) == (1, 1)


def test_failing_start_names_the_table_and_closes_the_rest(scripted, tmp_path, monkeypatch):
    monkeypatch.setattr(scripted.Other, "start_problem", FileNotFoundError(2, "No such file", "/etc/key.json"))
    with pytest.raises(ConfigurationError, match=r"\[sms.second\] cannot start: .*/etc/key.json"):
        run(notifier(tmp_path, sms=TWO), lambda n: n.check())
    assert len(scripted.Sms.closed) == 1


def test_check_asks_every_backend(scripted, tmp_path, monkeypatch):
    monkeypatch.setattr(scripted.Other, "problem", Permanent("wrong password"))
    checked = run(notifier(tmp_path, sms=TWO), lambda n: n.check())
    assert [one[:3] for one in checked] == [("sms", "first", None), ("sms", "second", "wrong password")]
    assert [one.label for one in run(notifier(tmp_path, sms=TWO), lambda n: n.check("sms.second"))] == ["second"]


def test_send_test_goes_through_the_named_backend(scripted, tmp_path):
    tables = {"sms": TWO, "push": {"first": {"backend": "scripted"}}}
    run(notifier(tmp_path, **tables), lambda n: n.send_test("second", "+33612345678"))
    assert scripted.Other.sent[0].phone == "+33612345678"
    with pytest.raises(ConfigurationError, match=r"push.first, sms.first"):
        run(notifier(tmp_path, **tables), lambda n: n.send_test("first", "+33612345678"))
    with pytest.raises(ConfigurationError, match=r"Configured: push.first, sms.first, sms.second"):
        run(notifier(tmp_path, **tables), lambda n: n.send_test("third", "+33612345678"))
    address = "pn-provider=fcm;pn-param=929;pn-prid=a%3Ab"
    run(notifier(tmp_path, **tables), lambda n: n.send_test("push.first", address))
    assert (scripted.Push.sent[0].provider, scripted.Push.sent[0].prid) == ("fcm", "a:b")
