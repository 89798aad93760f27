"""Reasons why a process is not ready, and those that close it."""

import asyncio

from flexiapi.server.readiness import Readiness


def test_a_process_is_ready_when_it_waits_for_nothing():
    readiness = Readiness()
    assert readiness.is_ready
    assert readiness.wait_for("spaces", "The tables differ.")
    assert not readiness.wait_for("spaces", "The tables differ.")
    assert readiness.wait_for("spaces", "Others differ.")
    assert readiness.reasons == {"spaces": "Others differ."}
    assert not readiness.is_closed
    assert readiness.settle("spaces")
    assert not readiness.settle("spaces")
    assert readiness.is_ready


def test_some_reasons_close_it():
    async def work():
        readiness = Readiness()
        readiness.wait_for("steps", "Step 1 waits.", closes=True)
        readiness.wait_for("release", "It is too old.", closes=True)
        waiting = asyncio.create_task(readiness.opened())
        readiness.settle("steps")
        await asyncio.sleep(0)
        assert readiness.is_closed
        assert not waiting.done()
        readiness.wait_for("release", "It is old.")
        await waiting
        assert not readiness.is_closed
        assert not readiness.is_ready

    asyncio.run(work())
