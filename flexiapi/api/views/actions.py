"""Views of actions."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.model import Account, Action


@dataclass(kw_only=True)
class ActionView:
    """An action."""

    id: Annotated[int, Field(examples=[5])]
    key: str
    code: Annotated[str, Field(examples=["1234"])]

    @classmethod
    def of(cls, action: Action) -> "ActionView":
        """Show an action."""
        return cls(id=action.id, key=action.key, code=action.code)

    @classmethod
    def all_of(cls, account: Account) -> "list[ActionView]":
        """Show the actions of an account: none without a DTMF protocol."""
        return [cls.of(action) for action in account.actions] if account.dtmf_protocol else []
