import asyncio
import json
import stat

import pytest

from flexiapi.plugin import ANY_PROVIDER, MailMessage, Permanent, PushMessage, Retryable, SmsMessage
from flexiapi.testing import BackendDeclaration
from flexiapi_outbox import OutboxMail, OutboxPush, OutboxSms


class OutboxDeclaration(BackendDeclaration):
    name = "outbox"

    def settings(self, gateway):
        return {"path": "messages.jsonl"}


class TestOutboxPush(OutboxDeclaration):
    group = "flexiapi.push"


class TestOutboxSms(OutboxDeclaration):
    group = "flexiapi.sms"


class TestOutboxMail(OutboxDeclaration):
    group = "flexiapi.mail"


MESSAGES = [
    (OutboxPush, PushMessage("fcm", "929724111839", "dA1b:APA91b", {"token": "8tuVPT"})),
    (OutboxSms, SmsMessage("+33612345678", "Votre code : 1234")),
    (OutboxMail, MailMessage("alice@example.org", "Hello", "text", "<p>text</p>")),
]


def backend(kind, data_path, **settings):
    return kind(kind.Config.model_validate(settings, context={"data_path": data_path}))


def test_one_json_object_a_line(tmp_path):
    for kind, message in MESSAGES:
        asyncio.run(backend(kind, tmp_path).send(message))
    push, sms, mail = (json.loads(line) for line in (tmp_path / "outbox.jsonl").read_text().splitlines())
    assert push == {
        "transport": "push",
        "provider": "fcm",
        "param": "929724111839",
        "prid": "dA1b:APA91b",
        "data": {"token": "8tuVPT"},
    }
    assert sms == {"transport": "sms", "phone": "+33612345678", "text": "Votre code : 1234"}
    assert mail == {
        "transport": "mail",
        "to": "alice@example.org",
        "subject": "Hello",
        "text": "text",
        "html": "<p>text</p>",
    }


def test_only_the_owner_reads_it(tmp_path):
    asyncio.run(backend(OutboxSms, tmp_path / "new folder").send(MESSAGES[1][1]))
    assert stat.S_IMODE((tmp_path / "new folder" / "outbox.jsonl").stat().st_mode) == 0o600


def test_concurrent_lines_never_mix(tmp_path):
    async def many():
        outbox = backend(OutboxSms, tmp_path)
        await asyncio.gather(*(outbox.send(SmsMessage("+33612345678", str(n) * 5000)) for n in range(10)))

    asyncio.run(many())
    texts = [json.loads(line)["text"] for line in (tmp_path / "outbox.jsonl").read_text().splitlines()]
    assert sorted(texts) == [str(n) * 5000 for n in range(10)]


def test_any_push_provider():
    assert OutboxPush.providers == {ANY_PROVIDER}


def test_file_that_cannot_be_written(tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    outbox = backend(OutboxSms, tmp_path, path="taken/outbox.jsonl")
    with pytest.raises(Retryable, match="cannot write"):
        asyncio.run(outbox.send(MESSAGES[1][1]))
    with pytest.raises(Permanent, match="cannot be written"):
        asyncio.run(outbox.check())
