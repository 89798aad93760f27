import asyncio

import pytest
import stamina
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from flexiapi.errors import DeliveryFailed
from flexiapi.notify.circuit import Circuit
from flexiapi.notify.discovery import Transport
from flexiapi.notify.outlet import Faulty, Outlet, TurnedAway
from flexiapi.plugin import Permanent, Retryable, SmsMessage, Unregistered
from flexiapi.settings import DeliverySettings
from tests.kit.clocks import Clock

MESSAGE = SmsMessage("+33612345678", "Your code is 4711")


def outlet(scripted, script=(), label="main", **delivery):
    scripted.Sms.script[:] = script
    backend = scripted.Sms(scripted.Config())
    return Outlet(Transport.SMS, label, backend, DeliverySettings(**{"deadline_seconds": 60, **delivery}))


def failure(outlet):
    with pytest.raises(DeliveryFailed) as caught:
        asyncio.run(outlet.send(MESSAGE))
    return caught.value.__cause__


def test_busy_provider_is_tried_again(scripted):
    assert asyncio.run(outlet(scripted, [Retryable("busy"), Retryable("busy")]).send(MESSAGE)).id == "3"


def test_tries_come_to_an_end(scripted):
    error = failure(outlet(scripted, [Retryable(f"busy {n}") for n in range(9)]))
    assert (type(error), error.reason) == (Retryable, "busy 2")
    assert len(scripted.Sms.sent) == 3


def test_refused_message_is_not_tried_again(scripted):
    assert isinstance(failure(outlet(scripted, [Permanent("bad number")])), Permanent)
    assert len(scripted.Sms.sent) == 1


def test_unregistered_is_handed_on(scripted):
    with pytest.raises(Unregistered):
        asyncio.run(outlet(scripted, [Unregistered("gone")]).send(MESSAGE))


def test_the_wait_that_the_provider_asks_for(scripted):
    waits, hooks = [], stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks([lambda details: waits.append(details.wait_for)])
    try:
        with stamina.set_testing(False):
            asyncio.run(outlet(scripted, [Retryable("busy", retry_after=0.2)]).send(MESSAGE))
    finally:
        stamina.instrumentation.set_on_retry_hooks(hooks)
    assert waits == [0.2]


def test_a_wait_that_does_not_fit_ends_it_at_once(scripted):
    assert failure(outlet(scripted, [Retryable("quota", retry_after=3600)])).reason == "quota"
    assert len(scripted.Sms.sent) == 1


def test_silent_provider_meets_the_deadline(scripted):
    assert failure(outlet(scripted, [3600], deadline_seconds=3)).reason == "no answer in time"


def test_a_backend_that_raises_anything_is_a_failed_delivery_without_the_text(scripted):
    with capture_logs() as logs:
        error = failure(outlet(scripted, [ValueError(f"no route for {MESSAGE.phone}")]))
    assert isinstance(error, Faulty)
    assert "ValueError at " in error.reason
    assert MESSAGE.phone not in f"{error!r} {error.__cause__!r} {logs}"


def test_no_more_than_so_many_at_once(scripted):
    async def two():
        busy = outlet(scripted, [3600], concurrent=1)
        first = asyncio.create_task(busy.send(MESSAGE))
        await asyncio.sleep(0)
        with pytest.raises(DeliveryFailed) as caught:
            await busy.send(MESSAGE, 0.1)
        assert not first.done()
        first.cancel()
        return caught.value.__cause__

    assert isinstance(asyncio.run(two()), TurnedAway)
    assert len(scripted.Sms.sent) == 1


def test_circuit_turns_away_and_heals_without_restart(scripted):
    async def outage():
        failing, clock = outlet(scripted, [Retryable("down")] * 4, tries=1), Clock()
        failing.circuit = Circuit(4, 15, clock)
        causes = []
        for _ in range(5):
            try:
                await failing.send(MESSAGE)
            except DeliveryFailed as error:
                causes.append(type(error.__cause__))
        assert causes == [Retryable] * 4 + [TurnedAway]
        assert len(scripted.Sms.sent) == 4
        clock.now += 15
        await failing.send(MESSAGE)
        return await failing.send(MESSAGE)

    with capture_logs() as logs:
        assert asyncio.run(outage()).id == "6"
    told = [entry["event"] for entry in logs if entry["event"].startswith("backend")]
    assert told == ["backend rests", "backend is back"]


def test_circuit_stops_the_retries_too(scripted):
    failing = outlet(scripted, [Retryable("down")] * 9, circuit_failures=2)
    assert isinstance(failure(failing), TurnedAway)
    assert len(scripted.Sms.sent) == 2


def test_refusals_never_open_the_circuit(scripted):
    refusing = outlet(scripted, [Permanent("bad number")] * 5, circuit_failures=2)
    assert all(isinstance(failure(refusing), Permanent) for _ in range(5))


def test_cancelled_sender_frees_its_place_and_harms_nobody(scripted):
    async def hang_up():
        one = outlet(scripted, [3600], concurrent=1, circuit_failures=1)
        task = asyncio.create_task(one.send(MESSAGE))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await one.send(MESSAGE)

    assert asyncio.run(hang_up()).id == "2"


def test_figures_by_label_and_outcome(scripted):
    figured = outlet(scripted, [Retryable("busy"), None, Permanent("bad number")], label="figured")
    asyncio.run(figured.send(MESSAGE))
    failure(figured)

    def value(name, **labels):
        return REGISTRY.get_sample_value(name, {"transport": "sms", "label": "figured", **labels})

    assert value("flexiapi_deliveries_total", outcome="sent") == 1
    assert value("flexiapi_deliveries_total", outcome="refused") == 1
    assert value("flexiapi_delivery_tries_total") == 3
    assert value("flexiapi_delivery_seconds_count") == 2


def test_nothing_of_the_message_is_logged(scripted):
    with capture_logs() as logs:
        failure(outlet(scripted, [Retryable("busy")] * 3))
    assert [entry["reason"] for entry in logs if entry["event"] == "delivery failed"] == ["busy"]
    assert MESSAGE.phone not in str(logs)
    assert "4711" not in str(logs)
