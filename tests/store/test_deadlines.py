"""Operations of the store end in time, and no cancellation is taken for another one."""

import asyncio

import pytest

from flexiapi.errors import StoreUnavailable
from flexiapi.store.connection import Deadlines, Translating


class Slow(Translating):
    """A store whose operations never end."""

    def __init__(self, seconds):
        self.deadlines = Deadlines(seconds)

    async def forever(self):
        await asyncio.Event().wait()

    async def forever_inside(self):
        await self.forever()

    async def soon(self):
        return "soon"


def test_an_operation_that_takes_too_long_is_the_store_s_failure_and_leaves_its_task_alone():
    async def scenario():
        store = Slow(0.05)
        for ask in (store.forever, store.forever_inside):
            with pytest.raises(StoreUnavailable) as raised:
                await ask()
            assert raised.value.reason == "no answer within 0.05 seconds"
        assert asyncio.current_task().cancelling() == 0
        # The next one has its whole time.
        assert await store.soon() == "soon"

    asyncio.run(scenario())


def test_operations_that_began_at_different_times_all_end_in_one_loop_after_another():
    store = Slow(0.05)

    async def scenario():
        async def later(seconds):
            await asyncio.sleep(seconds)
            await store.forever()

        ended = await asyncio.gather(*(later(n / 100) for n in range(12)), return_exceptions=True)
        assert [type(one) for one in ended] == [StoreUnavailable] * 12

    asyncio.run(scenario())
    asyncio.run(scenario())


def test_a_shorter_time_counts_from_the_next_operation_on():
    async def scenario():
        store = Slow(3600)
        assert await store.soon() == "soon"
        store.deadlines.seconds = 0.05
        with pytest.raises(StoreUnavailable):
            await store.forever()

    asyncio.run(scenario())


def test_the_cancellation_of_a_request_stays_one():
    async def scenario():
        task = asyncio.create_task(Slow(3600).forever())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_a_time_around_an_operation_stays_the_failure_of_its_owner():
    async def scenario():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await Slow(3600).forever()

    asyncio.run(scenario())


def test_an_operation_that_was_cancelled_and_is_late_too_is_cancelled():
    async def scenario():
        store = Slow(0.05)
        task = asyncio.create_task(store.forever())
        await asyncio.sleep(0)
        (begun,) = store.deadlines._begun.values()
        task.cancel()
        begun.is_late = True
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
