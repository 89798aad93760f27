import asyncio

from flexiapi.notify.lane import Places


def test_places_are_given_in_order_and_those_who_leave_harm_no_other():
    async def whole():
        places, got = Places(lambda: 1), []

        async def take(name):
            await places.acquire()
            got.append(name)

        await places.acquire()
        first, second, third = (asyncio.create_task(take(name)) for name in ("first", "second", "third"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        places.release()
        # It leaves in the moment in which it is called up.
        second.cancel()
        await third
        return got

    assert asyncio.run(whole()) == ["third"]


def test_their_number_follows_what_a_backend_learns():
    async def whole():
        now, count = asyncio.get_running_loop().time(), 3
        places = Places(lambda: count)
        for _ in range(3):
            await places.acquire()
        assert not places.were_too_few_since(0)
        count = 1
        waiting = [asyncio.create_task(places.acquire()) for _ in range(2)]
        places.release()
        places.release()
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        # Those who had a place too many at some time waited, also if it is well by now.
        assert places.were_too_few_since(now)
        assert not places.were_too_few_since(asyncio.get_running_loop().time() + 3600)
        count = 3
        places.release()
        await asyncio.gather(*waiting)

    asyncio.run(whole())
