"""Views of account types."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.model import Account, AccountType, Types


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
