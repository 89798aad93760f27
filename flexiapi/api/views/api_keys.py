"""Views of named API keys."""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field

from flexiapi.api.views.accounts import Moment
from flexiapi.model import KeyScope
from flexiapi.services.sign_in import ListedKey


@dataclass(kw_only=True)
class NamedKeyView:
    """A named API key, without the key itself."""

    id: Annotated[int, Field(examples=[3])]
    name: Annotated[str, Field(examples=["Flexisip in Paris"])]
    scopes: Annotated[list[KeyScope], Field(examples=[["flexisip"]])]
    account_id: Annotated[int | None, Field(description="the administrator who made it; `null` for a command's")]
    works: Annotated[bool, Field(description="false once it is over, or its administrator is none", examples=[True])]
    created_at: Moment
    last_used_at: Annotated[Moment | None, Field(description="to the minute")]
    expires_at: Annotated[Moment | None, Field(description="when it is over in any case; `null` for never")]
    idle_days: Annotated[int | None, Field(description="days without use after which it is over; `null` for any")]

    @classmethod
    def of(cls, listed: ListedKey) -> Self:
        """Return the view of a key."""
        return cls(**cls._fields(listed))

    @classmethod
    def _fields(cls, listed: ListedKey) -> dict[str, Any]:
        key = listed.key
        return {
            "id": key.id,
            "name": key.name,
            "scopes": list(key.scopes),
            "account_id": key.account_id,
            "works": listed.works,
            "created_at": key.created_at,
            "last_used_at": key.last_used_at,
            "expires_at": key.expires_at,
            "idle_days": key.idle_days,
        }


@dataclass(kw_only=True)
class NewKeyView(NamedKeyView):
    """A named API key as it is shown once."""

    api_key: Annotated[
        str,
        Field(
            description="the key itself, which is shown only here",
            examples=["fxk_Zt5vN8eQmX2bR7cK1wY4sD9gH3jL6pA0uF8iO5aB"],
        ),
    ]

    @classmethod
    def with_key(cls, listed: ListedKey, key: str) -> Self:
        """Return the view of a key that was just made."""
        return cls(**cls._fields(listed), api_key=key)
