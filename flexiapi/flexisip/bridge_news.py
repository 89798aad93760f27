"""News for Flexisip's bridge (B2BUA): the lines of the replica that it has to read anew, published by Redis."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence

from flexiapi.errors import RegistrarUnavailable
from flexiapi.flexisip.credentials import BridgeLine
from flexiapi.observing import log

CHANNEL = "flexisip/B2BUA/account"
WAIT_SECONDS = 3.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
MOST_PENDING = 10_000


class BridgeNews:
    """Publisher of news, in their order.

    What Redis does not take is kept and tried again while the process runs. Flexisip reads all lines when it connects
    to Redis, so what is lost with the process is lost for a bridge alone that stayed connected all the time.
    """

    def __init__(self, publish: Callable[[str, str], Awaitable[None]]) -> None:
        self._publish = publish
        self._pending: dict[tuple[str, str, str], None] = {}
        self._work: asyncio.Task[None] | None = None
        self._is_failing = False

    async def tell(self, lines: Sequence[BridgeLine]) -> None:
        """Publish lines that are gone, new or changed. Wait for 3 s at most, and not at all while Redis is away."""
        for line in lines:
            news = (line.username, line.domain, line.identifier)
            self._pending.pop(news, None)
            self._pending[news] = None
        while len(self._pending) > MOST_PENDING:
            del self._pending[next(iter(self._pending))]
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._publish_all())
        if not self._is_failing:
            await asyncio.wait({self._work}, timeout=WAIT_SECONDS)

    async def close(self) -> None:
        """Give up what is pending."""
        if self._work is not None:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work

    async def _publish_all(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while self._pending:
            news = next(iter(self._pending))
            username, domain, identifier = news
            text = json.dumps({"username": username, "domain": domain, "identifier": identifier})
            try:
                await self._publish(CHANNEL, text)
            except RegistrarUnavailable as error:
                if not self._is_failing:
                    log.warning("the bridge was not told of a change", reason=str(error.__cause__ or error))
                self._is_failing = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                self._is_failing, pause = False, FIRST_PAUSE_SECONDS
                self._pending.pop(news, None)
