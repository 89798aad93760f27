"""Parts of views: types of values, account types and actions, and the data that views of accounts need."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainSerializer, WithJsonSchema

from flexiapi.model import Account, AccountType, Action, Types

Moment = Annotated[
    datetime,
    PlainSerializer(lambda moment: f"{moment.isoformat(timespec='microseconds')[:26]}Z", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2023-07-04T14:35:21.000000Z"]}),
]
PlainMoment = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.replace(tzinfo=None).isoformat(" ", "seconds"), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2040-12-12 12:12:12"]}),
]
AccountId = Annotated[int, Field(examples=[12])]
Activated = Annotated[bool, Field(examples=[True])]
NotActivated = Annotated[bool, Field(examples=[False])]


@dataclass(frozen=True, slots=True)
class ViewData:
    """The realm of the installation (`None` when each domain is its own), and the account types, by id."""

    realm: str | None
    types: Types


@dataclass(kw_only=True)
class TypeView:
    """An account type."""

    id: Annotated[int, Field(examples=[1])]
    key: Annotated[str, Field(examples=["phone"])]

    @classmethod
    def of(cls, account_type: AccountType) -> "TypeView":
        """Show a type."""
        return cls(id=account_type.id, key=account_type.key)

    @classmethod
    def all_of(cls, account: Account, types: Types) -> "list[TypeView]":
        """Show the types of an account."""
        return [cls.of(types[type_id]) for type_id in account.type_ids if type_id in types]


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
