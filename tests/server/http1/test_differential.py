"""The same bytes to our server, to Tornado's and to h11: the same requests, or a reason that is written down."""

import asyncio
import contextlib

import hypothesis
import pytest
import uvloop
from hypothesis import strategies as st

from tests.server.http1 import differences, messages, observed
from tests.server.http1.accepted import ACCEPTED
from tests.server.http1.refused import REFUSED
from tests.server.http1.sites import OURS, TORNADO, running

EXAMPLES = 400
MANY_EXAMPLES = 100_000


@contextlib.contextmanager
def three_servers():
    """A function from pieces of bytes to the verdicts of our server, of Tornado's and of h11."""
    ours, theirs = observed.taking(), observed.taking()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.ExitStack() as stack:

        def start(kind, delegate):
            server = running(kind, delegate)
            stack.callback(lambda: runner.run(server.__aexit__(None, None, None)))
            return runner.run(server.__aenter__())

        addresses = start(OURS, ours), start(TORNADO, theirs)

        def verdicts(pieces):
            async def test():
                async with asyncio.timeout(60):
                    return (
                        await observed.verdict(addresses[0], ours, pieces),
                        await observed.verdict(addresses[1], theirs, pieces),
                        observed.verdict_of_h11(b"".join(pieces)),
                    )

            return runner.run(test())

        yield verdicts


def check(data, ours, tornado, h11):
    """Fail if the verdicts differ without a reason, or if ours accepts what both others do not."""
    for name, theirs, table in (("Tornado", tornado, differences.FROM_TORNADO), ("h11", h11, differences.FROM_H11)):
        if not differences.agree(ours, theirs):
            reasons = [difference.reason for difference in table if difference.explains(data, ours, theirs)]
            assert reasons, f"{data}\nours: {ours}\n{name}: {theirs}"
    assert not differences.laxer(data, ours, tornado, h11), f"{data}\nours: {ours}\nTornado: {tornado}\nh11: {h11}"


@pytest.mark.security
def test_vectors_have_the_same_verdict_on_three_servers_or_a_reason():
    with three_servers() as verdicts:
        for vector in [*REFUSED, *ACCEPTED]:
            # The servers have limits of their own.
            if not vector.name.startswith("size: ") and len(vector.raw) < 3000:
                check(vector.raw, *verdicts([vector.raw]))


def fuzz(examples):
    with three_servers() as verdicts:

        @hypothesis.settings(max_examples=examples, deadline=None)
        @hypothesis.given(st.data())
        def each(data):
            raw = data.draw(messages.stream())
            check(raw, *verdicts(data.draw(messages.pieces(raw))))

        each()


@pytest.mark.security
def test_mutated_requests_have_the_same_verdict_or_a_reason():
    fuzz(EXAMPLES)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_very_many_mutated_requests_have_the_same_verdict_or_a_reason():
    fuzz(MANY_EXAMPLES)
