"""Queries for the accounts of a selection."""

import re
from datetime import datetime

from flexiapi.model import AccountSelection, folded, words_in
from flexiapi.store.documents import Document


def filters(wanted: AccountSelection) -> Document:
    """Return the query for everything that is wanted but the text."""
    asked = {
        "domain": wanted.domain,
        "activated": wanted.activated,
        "admin_since": None if wanted.admin is None else {"$exists": wanted.admin},
        "blocked_at": None if wanted.blocked is None else {"$exists": wanted.blocked},
        "contacts_lists": wanted.contacts_list_id,
        "types": wanted.type_id,
    }
    query: Document = {name: value for name, value in asked.items() if value is not None}
    if created := _between(wanted.created_from, wanted.created_until):
        query["created_at"] = created
    if updated := _between(wanted.updated_from, wanted.updated_until):
        query["updated_at"] = updated
    return query


def _between(first: datetime | None, until: datetime | None) -> Document:
    bounds = {"$gte": first, "$lt": until}
    return {name: moment for name, moment in bounds.items() if moment is not None}


def beginnings(text: str) -> list[Document]:
    """Return the queries of which one must match: for the beginning of a name, of an address, or of each word."""
    searched = typed(text)
    queries: list[Document] = [{"words": _beginning(searched)}]
    username, at, domain = searched.partition("@")
    words = words_in(searched)
    if at and username:
        queries.append({"words": username, "username": username, "domain": _beginning(domain)})
    elif words and words != [searched]:
        queries.append({"$and": [{"words": _beginning(word)} for word in words]})
    return queries


def typed(text: str) -> str:
    """Return a text as it is searched for."""
    return folded(text).removeprefix("sip:").removeprefix("tel:")


def _beginning(text: str) -> Document:
    return {"$regex": f"^{re.escape(text)}"}


def beginnings_without_words(text: str) -> list[Document]:
    """Return the same as far as documents can be searched before the step that writes their words."""
    escaped = re.escape(text.lower())
    names = [{"identifiers": {"$regex": f"^{scheme}:{escaped}"}} for scheme in ("sip", "tel")]
    return [*names, {"email": {"$regex": f"^{escaped}"}}]
