"""The steps of the document layout, in order.

A release reads the layout before its steps and the one after them. An expanding step adds what older releases ignore. A
contracting step ends what they rely on, and runs only when none of them runs any more. Each batch of a step may be
repeated, also after a later one and by two processes at once, without another result.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

Database = AsyncIOMotorDatabase[dict[str, Any]]

ACCOUNTS_AT_ONCE = 500


class StepKind(StrEnum):
    """The kind of a step, which decides when it may run."""

    EXPAND = "expand"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class BatchDone:
    """The position after a batch, and the number of documents that it looked at."""

    position: int
    documents: int


Batch = Callable[[Database, int | None], Awaitable[BatchDone | None]]


@dataclass(frozen=True, slots=True)
class LayoutStep:
    """A step of the layout.

    Attributes:
        number: 1 for the first; without gaps.
        sentence: what the step does, for operators.
        kind: whether older releases may run meanwhile.
        batch: does a part of the work, after a position or, with `None`, from the beginning. Returns where it ended,
            or `None` when nothing is left.
        is_long: the work grows with the number of accounts, so requests are served meanwhile; needs code that reads
            documents before and after the step.
    """

    number: int
    sentence: str
    kind: StepKind
    batch: Batch
    is_long: bool = False

    @property
    def is_needed(self) -> bool:
        """True if servers answer no request before it is done."""
        return self.kind is StepKind.EXPAND and not self.is_long


async def _drop_census(database: Database, _after: int | None) -> None:
    await database.drop_collection("census")


async def _number_revisions(database: Database, after: int | None) -> BatchDone | None:
    accounts = database["accounts"]
    ids: dict[str, Any] = {} if after is None else {"_id": {"$gt": after}}
    found = await accounts.find(ids, {"_id": 1}).sort("_id").limit(ACCOUNTS_AT_ONCE).to_list(None)
    if not found:
        return None
    first, last = found[0]["_id"], found[-1]["_id"]
    missing = {"_id": {"$gte": first, "$lte": last}, "revision": {"$exists": False}}
    await accounts.update_many(missing, {"$set": {"revision": 0}})
    return BatchDone(last, len(found))


async def _is_sealed_elsewhere(_database: Database, _after: int | None) -> BatchDone | None:
    raise AssertionError("the step needs the application key")


CENSUS_DROPPED = LayoutStep(
    1,
    "Remove the collection `census`, in which older releases count accounts.",
    StepKind.CONTRACT,
    _drop_census,
)
SECRETS_SEALED = LayoutStep(
    3,
    "Seal provisioning tokens and confirmation keys, which older releases read in clear.",
    StepKind.CONTRACT,
    _is_sealed_elsewhere,
    is_long=True,
)
STEPS: tuple[LayoutStep, ...] = (
    CENSUS_DROPPED,
    LayoutStep(2, "Give every account a revision.", StepKind.CONTRACT, _number_revisions, is_long=True),
    SECRETS_SEALED,
)


def steps_with(seal: Batch, steps: Sequence[LayoutStep]) -> tuple[LayoutStep, ...]:
    """Return the steps, with the work of the one that needs the application key."""
    return tuple(replace(step, batch=seal) if step is SECRETS_SEALED else step for step in steps)
