"""Creation of the indexes at the start; it is idempotent, so several processes may do it at once."""

import contextlib
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import OperationFailure

from flexiapi.errors import ConfigurationError
from flexiapi.model import Spaces
from flexiapi.store import driver
from flexiapi.store.driver import Database
from flexiapi.store.report_listings import NEWEST_FIRST

_EMAILS_TWICE = (
    "account.email_unique cannot be switched on: two accounts have one address. "
    "Find them with GET /api/accounts/{email}/search-by-email, change one, and start again."
)
# An address that is not proven is no identifier.
_PROVEN = {"$expr": {"$ne": ["$email", "$claimed_email"]}}
_TTL = IndexModel("expires_at", expireAfterSeconds=0)


def _only_present(field: str) -> dict[str, Any]:
    return {"partialFilterExpression": {field: {"$exists": True}}}


_PENDING = IndexModel("pending_since", **_only_present("pending_since"))

_OF_ACCOUNTS = [IndexModel([("accounts", ASCENDING), *NEWEST_FIRST])]
_OF_PERIODS = [IndexModel("begun_at"), IndexModel([("domains", ASCENDING), ("begun_at", ASCENDING)])]

INDEXES: dict[str, list[IndexModel]] = {
    "accounts": [
        _PENDING,
        IndexModel("identifiers", unique=True),
        IndexModel("email", **_only_present("email")),
        IndexModel([("words", ASCENDING), ("domain", ASCENDING)]),
        IndexModel("claimed_phone", **_only_present("claimed_phone")),
        IndexModel("claimed_email", **_only_present("claimed_email")),
        IndexModel("api_key.hash", unique=True, **_only_present("api_key.hash")),
        IndexModel("provisioning_token", unique=True, **_only_present("provisioning_token")),
        IndexModel("provisioning_secret.hash", unique=True, **_only_present("provisioning_secret.hash")),
        IndexModel([("domain", ASCENDING), ("_id", ASCENDING)]),
        # The orders of the administration (decision 0097).
        IndexModel([("domain", ASCENDING), ("username", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("domain", ASCENDING), ("updated_at", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("domain", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)]),
        IndexModel(
            [("activated", ASCENDING), ("domain", ASCENDING), ("_id", ASCENDING)],
            partialFilterExpression={"activated": False},
        ),
        IndexModel("blocked_at", **_only_present("blocked_at")),
        IndexModel("created_at"),
        IndexModel("creation_token_hash", **_only_present("creation_token_hash")),
        IndexModel("contacts", **_only_present("contacts")),
        IndexModel("call_forwardings.contact_id", **_only_present("call_forwardings.contact_id")),
        IndexModel("call_forwardings.target", **_only_present("call_forwardings.target")),
        IndexModel("types", **_only_present("types")),
        IndexModel("contacts_lists", **_only_present("contacts_lists")),
        IndexModel("admin_since", **_only_present("admin_since")),
        IndexModel("group", **_only_present("group")),
        IndexModel(
            [("bridged_account.username", ASCENDING), ("bridged_account.domain", ASCENDING)],
            unique=True,
            **_only_present("bridged_account.username"),
        ),
    ],
    "creation_tokens": [
        _TTL,
        _PENDING,
        IndexModel("account_id", **_only_present("account_id")),
        IndexModel("number", unique=True, **_only_present("number")),
    ],
    "recovery_tokens": [_TTL, _PENDING],
    "request_tokens": [_TTL, _PENDING, IndexModel("creation_token", **_only_present("creation_token"))],
    "auth_tokens": [_TTL, _PENDING, IndexModel("account_id", **_only_present("account_id"))],
    "reset_links": [_TTL, _PENDING, IndexModel("account_id")],
    "named_keys": [
        _PENDING,
        IndexModel("hash", unique=True),
        IndexModel([("space", ASCENDING), ("folded", ASCENDING)], unique=True),
        IndexModel([("space", ASCENDING), ("place", ASCENDING)], unique=True),
        IndexModel("kept_until", expireAfterSeconds=0),
        IndexModel("account_id", **_only_present("account_id")),
    ],
    "used_nonces": [_TTL],
    "sent_pushes": [_TTL],
    "sessions": [
        IndexModel("idle_until", expireAfterSeconds=0),
        IndexModel([("account_id", ASCENDING), ("seen_at", ASCENDING)]),
    ],
    "sign_in_places": [_TTL],
    "provisioning_fetches": [_TTL, IndexModel("tokens")],
    "limits": [_TTL],
    "tombstones": [_TTL],
    "servers": [IndexModel("seen_at", expireAfterSeconds=3600)],
    "account_types": [_PENDING, IndexModel("key", unique=True)],
    "cards": [IndexModel([("account_id", ASCENDING), ("_id", ASCENDING)])],
    "contacts_lists": [_PENDING, IndexModel("contacts")],
    "external_accounts": [
        _PENDING,
        IndexModel([("username", ASCENDING), ("domain", ASCENDING)], unique=True),
        IndexModel([("used", ASCENDING), ("_id", ASCENDING)]),
        IndexModel("account_id", **_only_present("account_id")),
    ],
    "events": [
        IndexModel("number", unique=True, **_only_present("number")),
        IndexModel("at", **_only_present("waiting")),
        IndexModel(
            [("subject", ASCENDING), ("revision", ASCENDING)], partialFilterExpression={"collection": "accounts"}
        ),
        IndexModel("details.ids", **_only_present("details.ids")),
        IndexModel("actor.account", **_only_present("actor.account")),
    ],
    "voicemail_slots": [_TTL, IndexModel([("account_id", ASCENDING), ("voicemail", ASCENDING)])],
    "voicemail_boxes": [
        _PENDING,
        IndexModel("voicemails.id"),
        IndexModel("voicemails.link", unique=True, **_only_present("voicemails.link")),
        IndexModel("voicemails.file"),
        IndexModel("voicemails.expires_at"),
    ],
    "voicemail_files.chunks": [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)],
    "voicemail_mails": [_TTL, IndexModel("due_at", **_only_present("due_at"))],
    "voicemail_leftovers": [IndexModel("since")],
    # The index of their age is that of `ReportRemovals.keep_for`.
    "reported_calls": [*_OF_ACCOUNTS, *_OF_PERIODS],
    "reported_messages": [*_OF_ACCOUNTS, *_OF_PERIODS],
    "reported_conferences": _OF_ACCOUNTS,
    "announced_events": [
        IndexModel("announced_at"),
        IndexModel([("event.collection", ASCENDING), ("event.subject", ASCENDING)]),
    ],
}

_REPLACED = ("accounts", "domain_1_created_at_1")
"""The collection and the name of an index of older releases that the beginning of another one does the work of."""


async def ensure(database: Database) -> None:
    """Create missing indexes, and remove one that is no longer needed."""
    for collection, indexes in INDEXES.items():
        await database[collection].create_indexes(indexes)
    collection, name = _REPLACED
    # Several processes may do it at once.
    with contextlib.suppress(OperationFailure):
        if name in await database[collection].index_information():
            await database[collection].drop_index(name)


async def keep_emails_unique(database: Database, spaces: Spaces, *, wanted: bool) -> None:
    """Make addresses identifiers, or no longer, if the setting was changed since the last start."""
    if await _are_unique(database) == wanted:
        return
    others = {"$filter": {"input": "$identifiers", "cond": {"$ne": [{"$substrBytes": ["$$this", 0, 7]}, "mailto:"]}}}
    mine = {"$concatArrays": [others, [{"$concat": ["mailto:", "$email", _suffix(spaces)]}]]} if wanted else others
    try:
        await database["accounts"].update_many(
            {"email": {"$exists": True}, **_PROVEN}, [{"$set": {"identifiers": mine}}]
        )
    except OperationFailure as error:
        raise ConfigurationError(_EMAILS_TWICE) from error
    await database["meta"].update_one({"_id": "email_unique"}, {"$set": {"value": wanted}}, upsert=True)


def _suffix(spaces: Spaces) -> Any:
    """Return the expression for the end of an identifier, which depends on the domain's space."""
    if not spaces.by_domain:
        return ""
    cases = [{"case": {"$eq": ["$domain", one.domain]}, "then": one.suffix} for one in spaces.by_domain.values()]
    return {"$switch": {"branches": cases, "default": ""}}


async def check_emails(database: Database, spaces: Spaces, *, wanted: bool) -> None:
    """Raise `ConfigurationError` if addresses should become unique and are not. Change nothing."""
    if not wanted or await _are_unique(database):
        return
    twice: list[dict[str, Any]] = [
        {"$match": {"email": {"$exists": True}, **_PROVEN}},
        {"$group": {"_id": {"email": "$email", "space": _suffix(spaces)}, "accounts": {"$sum": 1}}},
        {"$match": {"accounts": {"$gt": 1}}},
        {"$limit": 1},
    ]
    if await driver.aggregated(database["accounts"], twice, allowDiskUse=True):
        raise ConfigurationError(_EMAILS_TWICE)


async def _are_unique(database: Database) -> bool | None:
    """Return the setting of the last start, or `None` before the first."""
    known = await database["meta"].find_one({"_id": "email_unique"})
    return None if known is None else bool(known["value"])
