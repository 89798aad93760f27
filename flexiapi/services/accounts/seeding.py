"""Accounts with given ids from a seed file, for client test suites."""

from collections.abc import Callable, Sequence

from flexiapi.errors import ConfigurationError
from flexiapi.importing.seed_file import SeedAccount
from flexiapi.model import Account, Actor, Confirmation, Password
from flexiapi.services.ground import Ground
from flexiapi.store import IdentifierTaken

_AT_ONCE = 500

Progress = Callable[[int], None]


class Seeding:
    """Seed accounts. They replace accounts with the same ids."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._clock = ground.clock
        self._spaces = ground.spaces

    async def write(self, seeds: Sequence[SeedAccount], progress: Progress, actor: Actor) -> None:
        """Write the accounts. Raises `ConfigurationError` if an account with another id has one of the names."""
        await self._store.counters.raise_to("accounts", max((seed.id for seed in seeds), default=0))
        try:
            await self._write(seeds, progress, actor)
        finally:
            await self._store.quotas.raise_to_accounts()

    async def _write(self, seeds: Sequence[SeedAccount], progress: Progress, actor: Actor) -> None:
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
            user_agent=self._spaces.of_domain(domain).name,
            confirmation=Confirmation(key=seed.confirmation_key) if seed.confirmation_key else None,
            passwords=tuple(Password(item.algorithm, item.ha1) for item in seed.passwords),
        )
        assert change.after is not None
        return change.after
