"""The same bytes in pieces get the same answers, wherever they are split."""

import asyncio

import pytest

from tests.server.http1.accepted import ACCEPTED
from tests.server.http1.refused import REFUSED
from tests.server.http1.sites import OURS, Pages, run, running
from tests.server.http1.verdicts import check
from tests.server.http1.wire import asked

_AT_ONCE = 48
_SHORT = 700
_POSITIONS_OF_LONG_ONES = 24

VECTORS = [*ACCEPTED, *REFUSED]


async def each(jobs):
    """Run these coroutines, some at a time, so that others have the loop between two pieces."""
    waiting = iter(jobs)

    async def work():
        for job in waiting:
            await job

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(work())


async def ask(vector, address, *pieces):
    check(vector, *await asked(address, *pieces, methods=vector.methods))


def split_everywhere(step):
    """Split all vectors in two, at each position or some: long ones at some in any case."""

    async def test():
        async with running(OURS, Pages()) as address:
            for number, vector in enumerate(VECTORS):
                raw = vector.raw
                apart = step if len(raw) <= _SHORT else len(raw) // _POSITIONS_OF_LONG_ONES
                places = range(1 + number % apart, len(raw), apart)
                await each(ask(vector, address, raw[:at], raw[at:]) for at in places)

    run(test)


def test_two_pieces_get_the_same_answers():
    split_everywhere(5)


@pytest.mark.slow
def test_two_pieces_get_the_same_answers_at_every_position():
    split_everywhere(1)


def test_single_bytes_get_the_same_answers():
    async def test():
        async with running(OURS, Pages()) as address:
            await each(
                ask(vector, address, *(vector.raw[at : at + 1] for at in range(len(vector.raw))))
                for vector in VECTORS
                if len(vector.raw) <= _SHORT
            )

    run(test)
