"""The work about voicemails beside requests: mails about new ones, and the removal of old ones."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.events import EventFollower
from flexiapi.model import Actor
from flexiapi.services import Services
from flexiapi.store import Store

SEND_SECONDS = 2.0
SWEEP_SECONDS = 600.0
_LEASE = "voicemail sweep"


class VoicemailWork:
    """The tasks of a server process about voicemails. One process of all follows the events, and one sweeps."""

    def __init__(self, store: Store, services: Services) -> None:
        self._leases = store.leases
        self._voicemails = services.calls.voicemails
        self._notices = services.calls.voicemail_notices
        self._holder = secrets.token_hex(8)
        self.follower = EventFollower(store, "voicemail mails", (self._notices.event,), self._notices.take)

    @contextlib.asynccontextmanager
    async def done(self, may_work: Callable[[], bool]) -> AsyncIterator[None]:
        """Work in the block, unless voicemail is switched off."""
        if not self._voicemails.settings.enabled:
            yield
            return
        async with (
            self.follower.running(may_work),
            beside(self._send_for_ever(may_work), self._sweep_for_ever(may_work)),
        ):
            yield

    async def _send_for_ever(self, may_work: Callable[[], bool]) -> None:
        while True:
            await asyncio.sleep(SEND_SECONDS)
            if may_work():
                await attempted(self._send_all(), "mails about voicemails not sent")

    async def _send_all(self) -> None:
        while await self._notices.send_due():
            pass

    async def _sweep_for_ever(self, may_work: Callable[[], bool]) -> None:
        while True:
            if may_work():
                await attempted(self._sweep(), "old voicemails not removed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _sweep(self) -> None:
        if await self._leases.take(_LEASE, self._holder, timedelta(seconds=SWEEP_SECONDS / 2)):
            await self._voicemails.sweep(Actor.system())
