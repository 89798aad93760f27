"""Calls that arrive while a batch is under way form the next one."""

import asyncio

import pytest

from flexiapi.concurrency.coalescing import Batches, CoalescedReads


class Shelf:
    """Answers lookups when told to, and remembers how they came."""

    def __init__(self):
        self.content = {}
        self.batches = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self, keys):
        self.batches.append(list(keys))
        now = dict(self.content)
        await self.gate.wait()
        if "broken" in keys:
            raise ConnectionError("away")
        return {key: now[key] for key in keys if key in now}


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.gen_test
async def test_lookups_that_arrive_together_are_one_operation_and_equal_keys_one_question():
    shelf = Shelf()
    shelf.content = {"a": 1, "b": 2}
    reads = CoalescedReads(shelf.fetch)
    assert await asyncio.gather(*(reads.get(key) for key in "aabc")) == [1, 1, 2, None]
    assert shelf.batches == [["a", "b", "c"]]


@pytest.mark.gen_test
async def test_a_lookup_never_sees_data_older_than_its_arrival():
    shelf = Shelf()
    shelf.content = {"a": "old"}
    shelf.gate.clear()
    reads = CoalescedReads(shelf.fetch, in_flight=1)
    early = asyncio.ensure_future(reads.get("a"))
    await settle()
    shelf.content = {"a": "new"}
    late = asyncio.ensure_future(reads.get("a"))
    await settle()
    assert len(shelf.batches) == 1
    shelf.gate.set()
    assert await early == "old"
    assert await late == "new"


@pytest.mark.gen_test
async def test_a_failure_is_that_of_its_own_batch_only():
    shelf = Shelf()
    shelf.content = {"a": 1}
    reads = CoalescedReads(shelf.fetch)
    with pytest.raises(ConnectionError):
        await reads.get("broken")
    assert await reads.get("a") == 1


@pytest.mark.gen_test
async def test_a_cancelled_waiter_harms_nobody():
    shelf = Shelf()
    shelf.content = {"a": 1}
    shelf.gate.clear()
    reads = CoalescedReads(shelf.fetch)
    leaves = asyncio.ensure_future(reads.get("a"))
    stays = asyncio.ensure_future(reads.get("a"))
    await settle()
    leaves.cancel()
    shelf.gate.set()
    assert await stays == 1
    assert await reads.get("a") == 1


@pytest.mark.gen_test
async def test_each_item_of_a_batch_gets_its_own_result_or_exception():
    async def send(items):
        return [ValueError(item) if item % 2 else item for item in items]

    batches = Batches(send, in_flight=1)
    results = await asyncio.gather(*(batches.add(number) for number in range(4)), return_exceptions=True)
    assert [results[0], results[2]] == [0, 2]
    assert all(isinstance(results[odd], ValueError) for odd in (1, 3))
