"""Lists of contacts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContactsList:
    """A named set of accounts that are contacts of every account it is attached to."""

    id: int
    title: str
    description: str
    contact_ids: tuple[int, ...] = ()
