"""What an account's device does on DTMF codes."""

from flexiapi.errors import NoDtmfProtocol, RecordNotFound
from flexiapi.model import Account, Action
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.store import Store


class AccountActions:
    """Keeps the actions of accounts that have a DTMF protocol."""

    def __init__(self, store: Store, accounts: AccountDirectory) -> None:
        self._store = store
        self._accounts = accounts

    async def owner(self, account_id: int) -> Account:
        """The account whose actions these are. Raises `RecordNotFound`, `NoDtmfProtocol`."""
        account = await self._accounts.for_admin(account_id)
        if account.dtmf_protocol is None:
            raise NoDtmfProtocol
        return account

    def one_of(self, owner: Account, action_id: int) -> Action:
        """An action of the account. Raises `RecordNotFound`, also for one of somebody else."""
        for action in owner.actions:
            if action.id == action_id:
                return action
        raise RecordNotFound

    async def add(self, owner: Account, key: str, code: str) -> Action:
        """A new action of the account. Raises `RecordNotFound` when it is gone."""
        action = Action(await self._store.counters.next("account_actions"), key, code)
        if not await self._store.attachments.add_action(owner.id, action):
            raise RecordNotFound
        return action

    async def replace(self, owner: Account, action_id: int, key: str, code: str) -> Action:
        """Another key and code for an action. Raises `RecordNotFound`."""
        action = Action(action_id, key, code)
        if not await self._store.attachments.replace_action(owner.id, action):
            raise RecordNotFound
        return action

    async def remove(self, owner: Account, action_id: int) -> None:
        """Take an action away. Raises `RecordNotFound`."""
        if not await self._store.attachments.remove_action(owner.id, action_id):
            raise RecordNotFound
