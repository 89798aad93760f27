"""Views of accounts that are blocked or no longer blocked."""

from dataclasses import dataclass
from typing import Any

from flexiapi.api.views.accounts import AccountView, BlockReason
from flexiapi.model import Account


@dataclass(kw_only=True)
class BlockableAccount(AccountView):
    """An account as the administrator who blocks or unblocks it sees it."""

    block_reason: BlockReason

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return {**super()._more(account), "block_reason": account.block_reason}
