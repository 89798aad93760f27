"""Accounts from a file, with ids of their own: what client test suites sign in with."""

from collections.abc import Callable, Sequence

from flexiapi.errors import ConfigurationError
from flexiapi.importing.seed_file import SeedAccount
from flexiapi.model import Account, Actor, Confirmation, Password
from flexiapi.services.clock import Clock
from flexiapi.store import IdentifierTaken, Store

_AT_ONCE = 500

Progress = Callable[[int], None]


class Seeding:
    """Writes such accounts; those with the same ids are replaced."""

    def __init__(self, store: Store, clock: Clock, app_name: str) -> None:
        self._store = store
        self._clock = clock
        self._app_name = app_name

    async def write(self, seeds: Sequence[SeedAccount], progress: Progress, actor: Actor) -> None:
        """Write the accounts. Raises `ConfigurationError` when an account with another id has a name of theirs."""
        await self._store.counters.raise_to("accounts", max((seed.id for seed in seeds), default=0))
        for start in range(0, len(seeds), _AT_ONCE):
            some = [self._account(seed) for seed in seeds[start : start + _AT_ONCE]]
            try:
                await self._store.bulk.put(some, actor)
            except IdentifierTaken as error:
                name = error.identifier
                raise ConfigurationError(f"{name} belongs to an account with another id; remove that first.") from error
            progress(len(some))

    def _account(self, seed: SeedAccount) -> Account:
        username, domain = seed.username.lower(), seed.domain.lower()
        change = Account.new(
            self._clock.second(),
            activated=seed.activated,
            id=seed.id,
            username=username,
            domain=domain,
            email=(seed.email and seed.email.lower()) if "email" in seed.model_fields_set else f"{username}@{domain}",
            phone=seed.alias.alias if seed.alias else None,
            user_agent=self._app_name,
            confirmation=Confirmation(key=seed.confirmation_key) if seed.confirmation_key else None,
            passwords=tuple(Password(item.algorithm, item.ha1) for item in seed.passwords),
        )
        assert change.after is not None
        return change.after
