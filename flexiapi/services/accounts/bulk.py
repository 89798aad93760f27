"""One change of many accounts, with the outcome for each."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from flexiapi.errors import ApiError, StoreUnavailable, ValidationFailed
from flexiapi.model import Account, Space
from flexiapi.rendering.catalogues import marked
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.ground import Ground

MOST_AT_ONCE = 100

Act = Callable[[Account], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """The outcome for one account: its address, or `None` if there is no such account, and why it was not changed."""

    account_id: int
    address: str | None
    failure: str | None = None


class BulkChanges:
    """Changes of many accounts, one after the other. Each is complete, or did nothing and says why."""

    def __init__(self, ground: Ground, accounts: AccountDirectory) -> None:
        self._store = ground.store
        self._accounts = accounts

    async def selected(self, account_ids: Sequence[int], space: Space) -> list[Account]:
        """Return those of the accounts that administrators of the space see, by id. Raises `ValidationFailed`."""
        return await self._store.accounts.by_ids(chosen(account_ids), space.reach)

    async def each(self, account_ids: Sequence[int], space: Space, act: Act) -> list[BulkOutcome]:
        """Change each account that administrators of the space see. Raises `ValidationFailed` for none, or too many.

        When the database is away, those that follow are left as they are.
        """
        outcomes: list[BulkOutcome] = []
        known = {account.id: account for account in await self.selected(account_ids, space)}
        away: ApiError | None = None
        for account_id in chosen(account_ids):
            account = known.get(account_id)
            if account is None:
                outcomes.append(BulkOutcome(account_id, None, marked("There is no such account.")))
                continue
            failure = away
            if away is None:
                failure = await self._failure(account, act)
                away = failure if isinstance(failure, StoreUnavailable) else None
            outcomes.append(BulkOutcome(account_id, account.address, _text(failure)))
        return outcomes

    async def _failure(self, account: Account, act: Act) -> ApiError | None:
        try:
            await act(account)
        except ApiError as error:
            return error.with_traceback(None)
        return None


def chosen(account_ids: Sequence[int]) -> list[int]:
    """Return the ids, each once. Raises `ValidationFailed` for none, or more than 100."""
    ids = list(dict.fromkeys(account_ids))
    if not ids:
        raise ValidationFailed({"ids": ["Select at least one account."]})
    if len(ids) > MOST_AT_ONCE:
        raise ValidationFailed({"ids": [f"Select at most {MOST_AT_ONCE} accounts."]})
    return ids


def _text(failure: ApiError | None) -> str | None:
    if isinstance(failure, ValidationFailed):
        return " ".join(text for texts in failure.errors.values() for text in texts)
    return None if failure is None else failure.message
