"""Backends that were made for an earlier server keep working, as their makers wrote and tested them."""

import asyncio
import dataclasses
import json
from pathlib import Path

import pytest

from flexiapi.notify import Notifier
from flexiapi.plugin import MailMessage, PushMessage, SmsMessage
from flexiapi.settings import Settings
from flexiapi.testing import BackendContract, reply

SOURCE = (Path(__file__).parents[1] / "data" / "outbox-of-before.py.txt").read_text()
TABLE = {"main": {"backend": "before"}}


@pytest.fixture
def notifier(install, tmp_path):
    """A notifier whose backends are from the release before messages and backends got more than they had."""
    entry_points = "".join(
        f"[flexiapi.{kind}]\nbefore = outbox_of_before:Outbox{kind.capitalize()}\n" for kind in ("push", "sms", "mail")
    )
    install("flexiapi-before", "outbox_of_before", entry_points, SOURCE)
    return Notifier(Settings.model_validate({"data": {"path": tmp_path}, "push": TABLE, "sms": TABLE, "mail": TABLE}))


def test_a_backend_of_before_sends_checks_and_has_identities(notifier, tmp_path):
    push = PushMessage("fcm", "929", "token", {"token": "1"}, title="Hello", kind="creation.token")

    async def whole():
        await notifier.start()
        await notifier.push(push)
        await notifier.sms(SmsMessage("+33612345678", "Code 0427", kind="account.recovery", code="0427"))
        await notifier.mail(MailMessage("a@example.org", "Code", "0427", None, "b@example.org", language="fr"))
        checked = await notifier.check()
        await notifier.close()
        return checked

    assert [one.error for one in asyncio.run(whole())] == [None] * 3
    assert notifier.identity(push) == "token"
    written = [json.loads(line) for line in (tmp_path / "outbox.jsonl").read_text().splitlines()]
    assert [line["transport"] for line in written] == ["push", "sms", "mail"]
    assert written[1] == {"transport": "sms", "phone": "+33612345678", "text": "Code 0427"}


def test_messages_are_made_and_compared_as_before():
    assert PushMessage("fcm", "1", "2", {}) == PushMessage("fcm", "1", "2", {})
    assert SmsMessage("+331", "text") == SmsMessage("+331", "text")
    mail = MailMessage("a@example.org", "subject", "text", "<p>html</p>", "b@example.org", "B")
    assert mail.from_name == "B"
    assert json.loads(json.dumps(dataclasses.asdict(mail)))["to"] == "a@example.org"


def test_what_was_added_is_no_secret_in_a_log():
    shown = f"{SmsMessage('+331', 'text', code='0427')} {MailMessage('a@b.org', 's', 't', code='0427')}"
    assert "0427" not in shown


def test_each_message_has_a_key_of_its_own_that_its_tries_share():
    first, second = SmsMessage("+331", "text"), SmsMessage("+331", "text")
    assert first.idempotency_key != second.idempotency_key
    assert len(bytes.fromhex(first.idempotency_key)) == 16


class ContractOfBefore(BackendContract):
    group, name = "flexiapi.sms", "before"
    busy, refused = reply(503), reply(400)


def test_the_kit_still_has_what_tests_of_before_use():
    for name in ("gateway", "settings", "message", "running", "run", "send", "config", "backend_class"):
        assert callable(getattr(ContractOfBefore, name))
