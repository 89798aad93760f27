"""Keys and certificates that change while the server runs, and the credit at providers."""

import asyncio
import contextlib
import shutil

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from flexiapi.errors import DeliveryFailed
from flexiapi.notify import BackendWatch, Notifier
from flexiapi.plugin import Permanent, Receipt, SmsMessage
from flexiapi.settings import Settings
from flexiapi.testing import Gateway

MESSAGE = SmsMessage("+33612345678", "Your code is 4711")


@pytest.fixture
def key(tmp_path):
    """The file that the setting `file` of the scripted backend names."""
    path = tmp_path / "key.pem"
    path.write_text("first")
    return path


def kept(tables, tmp_path, use):
    """Return the result of `use` with a notifier and the watch over its backends."""

    async def whole():
        notifier = Notifier(Settings.model_validate({"data": {"path": tmp_path}, "sms": tables}))
        await notifier.start()
        try:
            return await use(notifier, BackendWatch(notifier.outlets))
        finally:
            await notifier.close()

    return asyncio.run(whole())


def table(key):
    return {"main": {"backend": "scripted", "file": str(key)}}


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key.write_text("second, of another length"),
        lambda key: (key.with_suffix(".new").write_text("third"), key.with_suffix(".new").replace(key)),
        lambda key: key.unlink(),
    ],
    ids=["written", "replaced", "removed"],
)
def test_a_changed_file_is_read_again(scripted, key, tmp_path, change):
    async def use(notifier, watch):
        first = notifier.outlets[0].backend
        await watch.look()
        assert notifier.outlets[0].backend is first
        change(key)
        await watch.look()
        second = notifier.outlets[0].backend
        await watch.look()
        assert notifier.outlets[0].backend is second is not first
        assert scripted.Sms.closed == [first]

    kept(table(key), tmp_path, use)


def test_a_message_under_way_ends_before_its_backend_is_closed(scripted, key, tmp_path, monkeypatch):
    async def use(notifier, watch):
        first, began, may_end, renewed = notifier.outlets[0].backend, *(asyncio.Event() for _ in range(3))

        async def send(self, message):
            began.set()
            await may_end.wait()
            return Receipt()

        async def start(self):
            renewed.set()

        monkeypatch.setattr(scripted.Sms, "send", send)
        monkeypatch.setattr(scripted.Sms, "start", start)
        sending = asyncio.create_task(notifier.sms(MESSAGE))
        await began.wait()
        key.write_text("second")
        looking = asyncio.create_task(watch.look())
        await renewed.wait()
        assert notifier.outlets[0].backend is not first
        assert scripted.Sms.closed == []
        may_end.set()
        await sending
        await looking
        assert scripted.Sms.closed == [first]

    kept(table(key), tmp_path, use)


def test_a_message_that_ignores_the_end_of_its_time_does_not_end_the_watch(scripted, key, tmp_path, monkeypatch):
    async def use():
        tables = {"data": {"path": tmp_path}, "sms": table(key), "delivery": {"deadline_seconds": 0.2}}
        notifier = Notifier(Settings.model_validate(tables))
        await notifier.start()
        first, began, may_end = notifier.outlets[0].backend, asyncio.Event(), asyncio.Event()

        async def send(self, message):
            began.set()
            while not may_end.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await may_end.wait()

        monkeypatch.setattr(scripted.Sms, "send", send)
        sending = asyncio.create_task(notifier.sms(MESSAGE))
        await began.wait()
        key.write_text("second")
        try:
            async with asyncio.timeout(60):
                while notifier.outlets[0].backend is first:
                    await BackendWatch(notifier.outlets).look()
            assert scripted.Sms.closed == [first]
        finally:
            may_end.set()
            await asyncio.wait([sending])
        assert isinstance(sending.exception(), DeliveryFailed)
        await notifier.close()

    asyncio.run(use())


def test_a_file_that_cannot_be_used_leaves_the_backend_as_it_is(scripted, key, tmp_path, monkeypatch):
    async def use(notifier, watch):
        first = notifier.outlets[0].backend
        monkeypatch.setattr(scripted.Sms, "start_problem", ValueError("key.pem is not a key"))
        key.write_text("half")
        with capture_logs() as logs:
            await watch.look()
            await watch.look()
        told = [entry["reason"] for entry in logs if entry["log_level"] == "warning"]
        assert told == ["key.pem is not a key"]
        await notifier.sms(MESSAGE)
        assert notifier.outlets[0].backend is first
        monkeypatch.setattr(scripted.Sms, "start_problem", None)
        await watch.look()
        assert notifier.outlets[0].backend is not first

    kept(table(key), tmp_path, use)


def test_an_authority_that_is_replaced_is_trusted_without_a_restart(tmp_path):
    authority = tmp_path / "authority.pem"
    with Gateway(tls=True) as gateway, Gateway(tls=True) as other:
        shutil.copy(other.ca_file, authority)

        async def use(notifier, watch):
            with pytest.raises(DeliveryFailed):
                await notifier.sms(MESSAGE)
            shutil.copy(gateway.ca_file, authority)
            await watch.look()
            return await notifier.sms(MESSAGE)

        kept({"main": {"backend": "http", "url": gateway.url, "ca_file": authority}}, tmp_path, use)
        assert len(gateway.sends) == 1


def test_what_a_backend_writes_is_not_watched(tmp_path):
    async def use(notifier, watch):
        first = notifier.outlets[0].backend
        await notifier.sms(MESSAGE)
        await watch.look()
        assert notifier.outlets[0].backend is first

    kept({"main": {"backend": "outbox"}}, tmp_path, use)


@pytest.mark.parametrize("told", [12.5, None, Permanent("no right to ask"), RuntimeError("a fault")])
def test_credit_is_in_the_metrics_if_the_provider_tells_it(scripted, key, tmp_path, monkeypatch, told):
    async def credit(self):
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(scripted.Sms, "credit", credit, raising=False)
    label = f"credit-{type(told).__name__}"
    kept({label: table(key)["main"]}, tmp_path, lambda notifier, watch: watch.look())
    shown = REGISTRY.get_sample_value("flexiapi_delivery_credit", {"transport": "sms", "label": label})
    assert shown == (told if isinstance(told, float) else None)
