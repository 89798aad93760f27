import asyncio

import pytest
import stamina
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from flexiapi.errors import DeliveryFailed
from flexiapi.notify import lane
from flexiapi.notify.discovery import Transport
from flexiapi.notify.lane import Circuit, Faulty, TurnedAway
from flexiapi.notify.outlet import Outlet
from flexiapi.plugin import (
    Permanent,
    Receipt,
    RecipientDeferred,
    RecipientRefused,
    Retryable,
    SmsMessage,
    Throttled,
    Unregistered,
)
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
    assert failure(outlet(scripted, [3600] * 3, deadline_seconds=1)).reason == "no answer in time"


def test_silent_connection_leaves_time_for_another_try(scripted):
    assert asyncio.run(outlet(scripted, [3600], deadline_seconds=9).send(MESSAGE)).id == "2"


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


def test_circuit_turns_away_and_heals_without_restart(scripted, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(lane, "Circuit", lambda failures, rest: Circuit(failures, rest, clock))

    async def outage():
        failing = outlet(scripted, [Retryable("down")] * 4, tries=1, circuit_failures=4, circuit_seconds=15)
        causes = []
        for _ in range(5):
            try:
                await failing.send(MESSAGE)
            except DeliveryFailed as error:
                causes.append(type(error.__cause__))
        assert causes == [Retryable] * 4 + [TurnedAway]
        assert len(scripted.Sms.sent) == 4
        assert failing.resting == [""]
        clock.now += 15
        await failing.send(MESSAGE)
        assert not failing.resting
        return await failing.send(MESSAGE)

    with capture_logs() as logs:
        assert asyncio.run(outage()).id == "6"
    told = [entry["event"] for entry in logs if entry["event"].startswith("backend")]
    assert told == ["backend rests", "backend is back"]


def test_waiting_is_never_held_against_the_provider(scripted):
    async def burst():
        busy = outlet(scripted, [0.3, 3600], concurrent=1, circuit_failures=1, tries=1)
        first = asyncio.create_task(busy.send(MESSAGE))
        await asyncio.sleep(0)
        with pytest.raises(DeliveryFailed) as caught:
            # When its turn comes, it has a quarter of its time left.
            await busy.send(MESSAGE, 0.4)
        await first
        return caught.value.__cause__, busy.resting

    cause, resting = asyncio.run(burst())
    assert isinstance(cause, TurnedAway)
    assert not resting


def test_burst_waits_for_what_a_backend_declares(scripted, monkeypatch):
    under_way, most = 0, 0

    async def send(self, message):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        order.append(message.phone)
        return Receipt()

    monkeypatch.setattr(scripted.Sms, "send", send)
    monkeypatch.setattr(scripted.Sms, "concurrency", 4, raising=False)
    order, phones = [], [f"+336000000{number:02}" for number in range(50)]

    async def burst():
        bursting = outlet(scripted)
        await asyncio.gather(*(bursting.send(SmsMessage(phone, "text")) for phone in phones))

    asyncio.run(burst())
    assert most == 4
    assert order == phones


def test_lanes_have_queues_and_circuits_of_their_own(scripted, monkeypatch):
    monkeypatch.setattr(scripted.Sms, "lane", lambda self, message: message.phone[:3], raising=False)
    laned = outlet(scripted, [Retryable("down"), Retryable("down")], circuit_failures=1, tries=1, concurrent=1)

    async def both():
        german = SmsMessage("+4930123456", "text")
        for _ in range(2):
            with pytest.raises(DeliveryFailed):
                await laned.send(MESSAGE)
        with pytest.raises(DeliveryFailed):
            await laned.send(german)
        assert laned.resting == ["+33", "+49"]
        scripted.Sms.script[:] = [3600]
        hanging = asyncio.create_task(laned.send(SmsMessage("+41440000000", "text")))
        await asyncio.sleep(0)
        await laned.send(SmsMessage("+390612345", "text"))
        hanging.cancel()

    asyncio.run(both())


@pytest.mark.parametrize("wrong", [lambda self, message: [], lambda self, message: message.nothing])
def test_wrong_lane_is_a_failed_delivery_that_names_the_place(scripted, monkeypatch, wrong):
    monkeypatch.setattr(scripted.Sms, "lane", wrong, raising=False)
    assert isinstance(failure(outlet(scripted)), Faulty)


def test_address_refused_by_its_lane_is_refused(scripted, monkeypatch):
    def refuse(self, message):
        raise Permanent("not a number")

    monkeypatch.setattr(scripted.Sms, "lane", refuse, raising=False)
    assert failure(outlet(scripted)).reason == "not a number"


def test_lanes_do_not_fill_the_memory(scripted, monkeypatch):
    monkeypatch.setattr(scripted.Sms, "lane", lambda self, message: message.phone, raising=False)
    laned = outlet(scripted)

    async def many():
        for number in range(1100):
            await laned.send(SmsMessage(f"+33{number}", "text"))

    asyncio.run(many())
    assert len(laned._lanes) == 1000


def test_circuit_stops_the_retries_too(scripted):
    failing = outlet(scripted, [Retryable("down")] * 9, circuit_failures=2)
    assert isinstance(failure(failing), TurnedAway)
    assert len(scripted.Sms.sent) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Permanent("bad number"), Permanent),
        (RecipientRefused("opted out"), RecipientRefused),
        (RecipientDeferred("mailbox full"), RecipientDeferred),
        (ValueError("a fault of the plugin for this number"), Faulty),
    ],
)
def test_what_an_address_can_cause_never_opens_the_circuit(scripted, answer, kind):
    answering = outlet(scripted, [answer] * 5, circuit_failures=2)
    assert all(isinstance(failure(answering), kind) for _ in range(5))
    assert not answering.resting
    assert len(scripted.Sms.sent) == 5


def test_dead_devices_never_open_the_circuit(scripted):
    dead = outlet(scripted, [Unregistered("gone")] * 5, circuit_failures=2)
    for _ in range(5):
        with pytest.raises(Unregistered):
            asyncio.run(dead.send(MESSAGE))
    assert not dead.resting


@pytest.mark.parametrize("kind", [Throttled, RecipientDeferred])
def test_what_is_asked_too_often_is_asked_again_only_if_it_says_when(scripted, kind):
    assert isinstance(failure(outlet(scripted, [kind("quota")])), kind)
    assert len(scripted.Sms.sent) == 1
    assert asyncio.run(outlet(scripted, [kind("quota", retry_after=0.01)]).send(MESSAGE)).id == "3"


def test_throttling_provider_is_left_alone(scripted):
    throttling = outlet(scripted, [Throttled("quota")] * 2, circuit_failures=2)
    assert [type(failure(throttling)) for _ in range(3)] == [Throttled, Throttled, TurnedAway]


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

    failure(outlet(scripted, [RecipientDeferred("later")], label="figured"))
    asyncio.run(outlet(scripted, [Receipt("7", 2.5)], label="figured").send(MESSAGE))
    assert value("flexiapi_deliveries_total", outcome="sent") == 2
    assert value("flexiapi_deliveries_total", outcome="deferred") == 1
    assert value("flexiapi_delivery_cost_total") == 2.5
    assert value("flexiapi_delivery_waiting") == 0
    assert value("flexiapi_deliveries_total", outcome="refused") == 1
    assert value("flexiapi_delivery_tries_total") == 5
    assert value("flexiapi_delivery_seconds_count") == 4


def test_nothing_of_the_message_is_logged(scripted):
    with capture_logs() as logs:
        failure(outlet(scripted, [Retryable("busy")] * 3))
    assert [entry["reason"] for entry in logs if entry["event"] == "delivery failed"] == ["busy"]
    assert MESSAGE.phone not in str(logs)
    assert "4711" not in str(logs)


def test_silence_for_an_address_that_was_deferred_is_not_held_against_the_provider(scripted, monkeypatch):
    async def send(self, message):
        self.sent.append(message)
        if len(self.sent) == 1:
            raise RecipientDeferred("busy", retry_after=0.1)
        await asyncio.Event().wait()

    monkeypatch.setattr(scripted.Sms, "send", send)
    chosen = outlet(scripted, deadline_seconds=0.5, circuit_failures=1)
    assert isinstance(failure(chosen), TurnedAway | RecipientDeferred)
    assert chosen.resting == []


@pytest.mark.parametrize("wait", ["5", object()])
def test_a_wait_that_is_no_number_and_a_reason_that_is_no_text_are_a_failed_delivery(scripted, wait):
    with pytest.raises(DeliveryFailed) as caught:
        asyncio.run(outlet(scripted, [Retryable(ValueError("no route"), retry_after=wait)] * 3).send(MESSAGE))
    assert caught.value.reason == "no route"
