"""Tasks beside a block, and calls that loops repeat."""

import asyncio

import pytest
from structlog.testing import capture_logs

from flexiapi.concurrency import tasks
from flexiapi.concurrency.tasks import Errands, attempted, beside
from flexiapi.errors import StoreUnavailable


class Loop:
    """A task that notes what happens to it."""

    def __init__(self):
        self.began = asyncio.Event()
        self.notes = []

    async def run(self):
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.notes.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            self.notes.append("tidied up")


async def failing():
    raise OSError("no more")


@pytest.mark.gen_test
async def test_tasks_run_beside_the_block_and_have_tidied_up_when_it_is_left():
    first, second = Loop(), Loop()
    async with beside(first.run(), second.run()):
        await first.began.wait()
        await second.began.wait()
        assert first.notes == second.notes == []
    assert first.notes == second.notes == ["cancelled", "tidied up"]


@pytest.mark.gen_test
async def test_a_failure_of_the_block_is_what_its_caller_gets():
    loop = Loop()

    async def block():
        async with beside(loop.run()):
            await loop.began.wait()
            raise LookupError

    with pytest.raises(LookupError):
        await block()
    assert loop.notes == ["cancelled", "tidied up"]


@pytest.mark.gen_test
async def test_a_cancellation_of_the_block_reaches_its_caller():
    loop = Loop()

    async def block():
        async with beside(loop.run()):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await loop.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert loop.notes == ["cancelled", "tidied up"]


@pytest.mark.gen_test
async def test_a_failure_of_a_task_is_logged_at_once_and_ends_nothing_else():
    loop = Loop()
    with capture_logs() as lines:
        async with beside(failing(), loop.run()):
            async with asyncio.timeout(60):
                while not lines:  # noqa: ASYNC110  # a line of the log is no event
                    await asyncio.sleep(0)
            assert loop.notes == []
    assert [(line["event"], str(line["exc_info"])) for line in lines] == [("a task ended that should go on", "no more")]


@pytest.mark.gen_test
async def test_a_task_that_a_failure_keeps_from_its_cancellation_is_cancelled_again(monkeypatch):
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    began, undone = asyncio.Event(), []

    async def stubborn():
        while len(undone) < 3:
            try:
                began.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                undone.append(True)

    async with asyncio.timeout(60), beside(stubborn()):
        await began.wait()
    assert len(undone) == 3


@pytest.mark.gen_test
async def test_a_call_that_fails_is_logged_and_does_not_end_its_loop():
    async def away():
        raise StoreUnavailable("no primary")

    async def well():
        return 0

    with capture_logs() as lines:
        assert [await attempted(call(), "not done") for call in (well, away, failing)] == [True, False, False]
    assert [(line["log_level"], line["event"]) for line in lines] == [("debug", "not done"), ("error", "not done")]


@pytest.mark.gen_test
async def test_a_call_that_is_cancelled_has_not_failed():
    loop = Loop()
    task = asyncio.create_task(attempted(loop.run(), "not done"))
    await loop.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.gen_test
async def test_the_stop_waits_for_errands():
    errands, done, go = Errands(), [], asyncio.Event()

    async def errand():
        await go.wait()
        done.append("sent")

    errands.start(errand())
    waiting = asyncio.create_task(errands.finished())
    await asyncio.sleep(0)
    assert not waiting.done()
    go.set()
    await waiting
    assert done == ["sent"]
    await errands.finished()


@pytest.mark.gen_test
async def test_an_errand_that_takes_too_long_is_cancelled_at_the_stop(monkeypatch):
    monkeypatch.setattr(tasks, "LAST_SECONDS", 0.01)
    errands, loop = Errands(), Loop()
    errands.start(loop.run())
    await errands.finished()
    assert loop.notes == ["cancelled", "tidied up"]


@pytest.mark.gen_test
async def test_the_failure_of_an_errand_is_logged():
    errands = Errands()
    with capture_logs() as logs:
        errands.start(failing())
        await errands.finished()
        await asyncio.sleep(0)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["an errand failed"]
