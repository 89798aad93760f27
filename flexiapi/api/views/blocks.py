"""Views of accounts that may be blocked."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from flexiapi.api.views.accounts import AccountView
from flexiapi.model import Account


@dataclass(kw_only=True)
class BlockableAccount(AccountView):
    """An account as the administrator who blocks or unblocks it sees it."""

    blocked: Annotated[bool, Field(examples=[True])]

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return {**super()._more(account), "blocked": account.is_blocked}
