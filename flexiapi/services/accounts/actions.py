"""Actions of an account's device on DTMF codes."""

from flexiapi.errors import NoDtmfProtocol, RecordNotFound
from flexiapi.model import Account, Action, Actor, Space
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.outcome import existing
from flexiapi.store import Store


class AccountActions:
    """Actions of accounts that have a DTMF protocol."""

    def __init__(self, store: Store, accounts: AccountDirectory) -> None:
        self._store = store
        self._accounts = accounts

    async def owner(self, account_id: int, space: Space) -> Account:
        """Return the account with the id that administrators of the space see.

        Raises `RecordNotFound`, `NoDtmfProtocol`.
        """
        account = await self._accounts.for_admin(account_id, space)
        if account.dtmf_protocol is None:
            raise NoDtmfProtocol
        return account

    def one_of(self, owner: Account, action_id: int) -> Action:
        """Return an action of the account. Raises `RecordNotFound`, also for an action of another account."""
        for action in owner.actions:
            if action.id == action_id:
                return action
        raise RecordNotFound

    async def add(self, owner: Account, key: str, code: str, actor: Actor) -> Action:
        """Add an action to the account. Raises `RecordNotFound` when the account is gone."""
        action = Action(await self._store.counters.next("account_actions"), key, code)
        existing(await self._store.accounts.apply(owner.add_action(action), actor))
        return action

    async def replace(self, owner: Account, action_id: int, key: str, code: str, actor: Actor) -> Action:
        """Replace key and code of an action. Raises `RecordNotFound`."""
        action = Action(action_id, key, code)
        existing(await self._store.accounts.apply(owner.replace_action(action), actor))
        return action

    async def remove(self, owner: Account, action_id: int, actor: Actor) -> None:
        """Remove an action. Raises `RecordNotFound`."""
        existing(await self._store.accounts.apply(owner.remove_action(action_id), actor))
