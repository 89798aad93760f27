"""Invitations: creation tokens that administrators give to people."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Granted:
    """The types and contacts lists that an account gets at its creation, by id."""

    type_ids: tuple[int, ...] = ()
    contacts_list_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as it is stored, without its token.

    Attributes:
        name: whom it is for, in the words of the administrator.
        email: the address that it was mailed to; `None` for none.
        most: the number of accounts that it may create.
        used: the number of accounts that it created.
        granted: what each of them gets.
        made_by: the administrator's account; `None` for another actor.
    """

    id: int
    name: str
    email: str | None
    most: int
    used: int
    granted: Granted
    created_at: datetime
    expires_at: datetime
    made_by: int | None = None

    @property
    def left(self) -> int:
        """The number of accounts that it may still create."""
        return max(self.most - self.used, 0)
