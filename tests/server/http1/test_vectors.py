"""Requests of raw bytes: what is answered, what is refused, and that nothing is lost or gained in between."""

import pytest

from tests.server.http1.accepted import ACCEPTED
from tests.server.http1.refused import GOOD, REFUSED
from tests.server.http1.sites import LOOPS, OURS, Pages, run, running
from tests.server.http1.verdicts import check, check_accepted, check_refused
from tests.server.http1.wire import asked


def names(vectors):
    return [pytest.param(vector, id=vector.name) for vector in vectors]


def answered(vector):
    """The answers to a vector, whether the connection stayed open, and all that reached the application."""

    async def test():
        pages = Pages()
        async with running(OURS, pages) as address:
            answers, kept = await asked(address, vector.raw, methods=vector.methods)
        return answers, kept, pages.seen

    return run(test)


@pytest.mark.security
@pytest.mark.parametrize("vector", names(REFUSED))
def test_malformed_and_ambiguous_requests_are_refused(vector):
    answers, kept, seen = answered(vector)
    check_refused(vector, answers, kept)
    assert seen == []


@pytest.mark.parametrize("vector", names(ACCEPTED))
def test_well_formed_requests_are_answered(vector):
    answers, kept, seen = answered(vector)
    check_accepted(vector, answers, kept)
    assert len(seen) == len(answers) + kept


@pytest.mark.security
def test_a_refused_request_spoils_no_request_before_it():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address:
            for vector in REFUSED:
                answers, kept = await asked(address, GOOD + vector.raw)
                assert (answers[0].status, answers[0].json["uri"]) == (200, "/next"), vector.name
                check_refused(vector, answers[1:], kept)
        assert len(pages.seen) == len(REFUSED)

    run(test)


@pytest.mark.security
def test_what_follows_a_refusal_is_never_read_as_a_request():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address:
            for vector in REFUSED:
                answers, kept = await asked(address, vector.raw, GOOD, GOOD)
                check_refused(vector, answers, kept)
        assert pages.seen == []

    run(test)


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_a_client_that_shuts_down_its_writing_side_gets_the_same_answers(loop_factory):
    async def test():
        async with running(OURS, Pages()) as address:
            for vector in [*ACCEPTED, *REFUSED]:
                check(vector, *await asked(address, vector.raw, methods=vector.methods, end=True))

    run(test, loop_factory=loop_factory)
