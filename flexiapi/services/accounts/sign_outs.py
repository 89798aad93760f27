"""Ends of all sign-ins of an account."""

from flexiapi.model import Account, Actor
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing


class AccountSignOuts:
    """Sign-outs that administrators order."""

    def __init__(self, ground: Ground, accounts: AccountDirectory) -> None:
        self._store = ground.store
        self._accounts = accounts
        self._clock = ground.clock

    async def everywhere(self, account_id: int, actor: Actor) -> Account:
        """End the API key, nonces and sessions of an account, which keeps its password. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        return existing(await self._store.accounts.apply(account.sign_out(self._clock.second()), actor))
