"""The steps of the document layout, in order.

A release reads the layout before its steps and the one after them. An expanding step adds what older releases ignore. A
contracting step ends what they rely on, and runs only when none of them runs any more. Each batch of a step may be
repeated, also after a later one and by two processes at once, without another result.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from flexiapi.model import e164, search_words, usual_name
from flexiapi.store.connection import duplicates
from flexiapi.store.documents import claim
from flexiapi.store.driver import Database

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
        lasting: what cannot be undone afterwards, for operators; empty for a step that older releases ignore.
    """

    number: int
    sentence: str
    kind: StepKind
    batch: Batch
    is_long: bool = False
    lasting: str = ""

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


async def _make_claims(database: Database, after: int | None) -> BatchDone | None:
    accounts = database["accounts"]
    ids: dict[str, Any] = {} if after is None else {"_id": {"$gt": after}}
    found = await accounts.find(ids, dict.fromkeys(_OF_CLAIMS, 1)).sort("_id").limit(ACCOUNTS_AT_ONCE).to_list(None)
    if not found:
        return None
    writes = [write for document in found if (write := _claiming(document) or _spelling(document)) is not None]
    if writes:
        try:
            await accounts.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            # Another account has the usual spelling already. Both keep what they have.
            duplicates(error)
    return BatchDone(found[-1]["_id"], len(found))


_OF_CLAIMS = (
    "activated",
    "activated_at",
    "claimed_phone",
    "creation_token_hash",
    "domain",
    "email",
    "epoch",
    "has_first_password",
    "identifiers",
    "phone",
    "unconfirmed",
    "username",
)


def _claiming(document: dict[str, Any]) -> UpdateOne | None:
    """Return the write that makes a claim of the number of an account that was never active."""
    was_active = document.get("activated") or "activated_at" in document
    username, phone = document.get("username", ""), document.get("phone")
    number = phone or (username if username.startswith("+") else None)
    if was_active or "creation_token_hash" not in document or "unconfirmed" in document or number is None:
        return None
    of_number = (f"tel:{number}", f"sip:{number}@")
    kept = [name for name in document["identifiers"] if not name.startswith(of_number)]
    if number == username or "email" not in document:
        kept.insert(0, claim(number, document["domain"]))
    fields = {"claimed_phone": number, "unconfirmed": True, "identifiers": kept}
    if number == username and not document.get("epoch"):
        fields["has_first_password"] = True
    as_read = {"_id": document["_id"], "identifiers": document["identifiers"], "activated_at": {"$exists": False}}
    return UpdateOne(as_read, {"$set": fields, "$unset": {"phone": ""}})


def _spelling(document: dict[str, Any]) -> UpdateOne | None:
    """Return the write that adds the usual spelling of a number or user name, and notes a first password."""
    names, username = document["identifiers"], document.get("username", "")
    usual = [] if username.isascii() else [f"sip:{usual_name(username)}@{document['domain']}"]
    for name in names:
        if name.startswith("tel:"):
            number, semicolon, space = name.removeprefix("tel:").partition(";")
            usual.append(f"tel:{e164(number)}{semicolon}{space}")
    added = [] if document.get("claimed_phone") == username else [name for name in usual if name not in names]
    # Any other password has let the epoch grow.
    is_first = username.startswith("+") and "creation_token_hash" in document and not document.get("epoch")
    fields: dict[str, Any] = {"identifiers": [*names, *added]} if added else {}
    if is_first and "has_first_password" not in document:
        fields["has_first_password"] = True
    if not fields:
        return None
    as_read = {"_id": document["_id"], "identifiers": names, "epoch": document.get("epoch")}
    return UpdateOne(as_read, {"$set": fields})


_SPOKEN = ("username", "email", "phone", "display_name")


async def _write_words(database: Database, after: int | None) -> BatchDone | None:
    accounts = database["accounts"]
    ids: dict[str, Any] = {} if after is None else {"_id": {"$gt": after}}
    fields = dict.fromkeys(_SPOKEN, 1)
    found = await accounts.find(ids, fields).sort("_id").limit(ACCOUNTS_AT_ONCE).to_list(None)
    if not found:
        return None
    # A change of one of the names meanwhile writes the words too.
    named = [{"_id": one["_id"], **{name: one.get(name) for name in _SPOKEN}} for one in found]
    writes = [UpdateOne(one, {"$set": {"words": search_words(*(one[name] for name in _SPOKEN))}}) for one in named]
    await accounts.bulk_write(writes, ordered=False)
    return BatchDone(found[-1]["_id"], len(found))


async def _is_sealed_elsewhere(_database: Database, _after: int | None) -> BatchDone | None:
    raise AssertionError("the step needs the application key")


CENSUS_DROPPED = LayoutStep(
    1,
    "Remove the collection `census`, in which older releases count accounts.",
    StepKind.CONTRACT,
    _drop_census,
    lasting="Older releases would count accounts wrong.",
)
SECRETS_SEALED = LayoutStep(
    3,
    "Seal provisioning tokens and confirmation keys, which older releases read in clear.",
    StepKind.CONTRACT,
    _is_sealed_elsewhere,
    is_long=True,
    lasting="Older releases find no provisioning token and no mailed key, and administrators see none there.",
)
WORDS_WRITTEN = LayoutStep(
    5,
    "Write the words of every account by which searches find it.",
    StepKind.CONTRACT,
    _write_words,
    is_long=True,
    lasting="Accounts that an older release changes are found by their former words.",
)
STEPS: tuple[LayoutStep, ...] = (
    CENSUS_DROPPED,
    LayoutStep(
        2,
        "Give every account a revision.",
        StepKind.CONTRACT,
        _number_revisions,
        is_long=True,
        lasting="Changes that an older release makes have no number, and replicas may miss them.",
    ),
    SECRETS_SEALED,
    LayoutStep(
        4,
        "Make claims of the numbers that the public gave and nobody proved, and add usual spellings of names.",
        StepKind.CONTRACT,
        _make_claims,
        is_long=True,
        lasting="Numbers that were never proven find no account any more, and others may prove them.",
    ),
    WORDS_WRITTEN,
)


def steps_with(seal: Batch, steps: Sequence[LayoutStep]) -> tuple[LayoutStep, ...]:
    """Return the steps, with the work of the one that needs the application key."""
    return tuple(replace(step, batch=seal) if step is SECRETS_SEALED else step for step in steps)
