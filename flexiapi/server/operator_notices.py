"""Mails to the operators when a backend rests, the replica lags, a budget is nearly spent, or the backup is old."""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.events import read_up_to
from flexiapi.observing import log
from flexiapi.rendering.messages import OperatorMail
from flexiapi.server.parts import Parts
from flexiapi.services.limiter import TOTAL, SmsBudget

SECONDS = 60.0

_HOUR = 3600


class OperatorNotices:
    """The watch of a server process over what operators should know. Each trouble is told by one process of all."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings.notices
        self._holder = secrets.token_hex(8)
        self._host = socket.gethostname()
        self._read: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def sent(self, may_work: Callable[[], bool]) -> AsyncIterator[None]:
        """Look and send in the block, once a minute. Without addresses do nothing."""
        if not self._settings.to:
            yield
            return
        async with beside(self._watch_for_ever(may_work)):
            yield

    async def _watch_for_ever(self, may_work: Callable[[], bool]) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            if may_work():
                await attempted(self.look(), "operators not told")

    async def look(self) -> None:
        """Tell of each trouble that was not told within `[notices] again_hours`."""
        last = await self._parts.store.journal.events.numbers.last()
        life = timedelta(hours=self._settings.again_hours)
        for subject, text in [*self._backends(), *self._replicas(last), *self._backups()]:
            await self._tell(subject, text, life)
        for budget in await self._parts.services.limiter.sms_budgets():
            if budget.is_nearly_used_up:
                # Once in the day that the budget is for.
                await self._tell(f"sms budget {budget.name}", _of_budget(budget), budget.left)

    async def _tell(self, subject: str, text: str, life: timedelta) -> None:
        """Tell of a trouble unless a process has told of it within that time."""
        if not await self._parts.store.leases.take(f"notice {subject}", self._holder, life):
            return
        log.warning("operators are told", trouble=text)
        mail = OperatorMail(self._parts.store.spaces.default.domain, self._host, text)
        for address in self._settings.to:
            await self._parts.services.notices.notify(address, mail)

    def _backends(self) -> Iterator[tuple[str, str]]:
        for outlet in self._parts.notifier.outlets:
            if outlet.resting:
                where = "".join(f" ({lane})" for lane in sorted(outlet.resting) if lane)
                text = (
                    f"The backend [{outlet.table}]{where} rests after repeated failures; its messages go to others, or "
                    "are refused. `flexiapi plugins check` tells why."
                )
                yield f"backend {outlet.table}", text

    def _replicas(self, last: int) -> Iterator[tuple[str, str]]:
        """Yield a replica that cannot be written, and readers of events that read nothing since the look before."""
        replica = self._parts.replication.replica
        if replica is not None and replica.is_failing:
            text = (
                f"The sign-in replica of this host, {self._parts.replication.path}, cannot be written. Changes of "
                "accounts are refused until it can. `flexiapi sip doctor` tells why."
            )
            yield f"replica {self._host}", text
        for reader, number in read_up_to.items():
            if number < last and self._read.get(reader) == number:
                text = (
                    f"The {reader} of this host does not follow the changes of accounts: it is {last - number} events "
                    "behind. New accounts may not register, and deactivated ones may. `flexiapi sip doctor` helps."
                )
                yield f"reader {reader} {self._host}", text
            self._read[reader] = number

    def _backups(self) -> Iterator[tuple[str, str]]:
        file, hours = self._settings.backup_file, self._settings.backup_hours
        if file is None:
            return
        try:
            age = (time.time() - file.stat().st_mtime) / _HOUR
        except OSError as error:
            text = f"There is no backup: {file} cannot be read ({error.strerror})."
        else:
            if age <= hours:
                return
            text = f"The newest backup, {file}, is {age:.0f} hours old; {hours} are allowed."
        yield f"backup {self._host}", f"{text} See notices.backup_file (NOTICES_BACKUP_FILE)."


def _of_budget(budget: SmsBudget) -> str:
    numbers, setting = "", "limits.sms_total_per_day (LIMITS_SMS_TOTAL_PER_DAY)"
    if budget.name != TOTAL:
        numbers, setting = f" to numbers that begin with {budget.name}", "limits.sms_by_prefix (LIMITS_SMS_BY_PREFIX)"
    return (
        f"{budget.used} of {budget.most} SMS a day{numbers} are used. When all are, codes are refused until "
        f"{budget.ends_at:%Y-%m-%d %H:%M} UTC. See {setting}."
    )
