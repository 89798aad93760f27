"""Accounts from a file, with ids of their own: what client test suites sign in with."""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from flexiapi.errors import ConfigurationError
from flexiapi.model import Account, Algorithm, Confirmation, Password
from flexiapi.services.clock import Clock
from flexiapi.store import IdentifierTaken, Store

_ID = "%id%"
_POSTFIX = "%usernamePostfix%"
_RANGE_PASSWORD = "secret"  # noqa: S105  # what the format says
_AT_ONCE = 500

Progress = Callable[[int], None]


class SeedPassword(BaseModel):
    """A stored password: a hash, or a clear text with the algorithm CLRTXT."""

    hash: str
    algorithm: Algorithm


class SeedAlias(BaseModel):
    """A phone number."""

    alias: str
    domain: str | None = None


class SeedAccount(BaseModel):
    """One account."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["account"]
    id: int = Field(ge=1, lt=2**31)
    username: str
    domain: str
    activated: bool = True
    confirmation_key: str | None = None
    email: str | None = Field(None, description="`username@domain` when the key is absent; null is none")
    passwords: tuple[SeedPassword, ...] = ()
    alias: SeedAlias | None = None


class SeedRange(BaseModel):
    """Many accounts that differ in a number; `%id%` and `%usernamePostfix%` stand for it."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["range"]
    id: str = _ID
    username: str
    domain: str
    iteration: int = Field(ge=0, le=1_000_000)
    id_start: int = Field(alias="idStart", ge=1, lt=2**30)
    username_start: int = Field(alias="usernameStart", ge=0)
    activated: bool = True
    confirmation_key: str | None = None

    @property
    def accounts(self) -> Iterator[SeedAccount]:
        """Each of them."""
        password = SeedPassword(hash=_RANGE_PASSWORD, algorithm=Algorithm.CLRTXT)
        for step in range(self.iteration):
            number, postfix = str(self.id_start + step), str(self.username_start + step)
            yield SeedAccount(
                type="account",
                id=int(self.id.replace(_ID, number)),
                username=self.username.replace(_POSTFIX, postfix).replace(_ID, number),
                domain=self.domain,
                activated=self.activated,
                confirmation_key=self.confirmation_key,
                passwords=(password,),
            )


_FILE = TypeAdapter(list[Annotated[SeedAccount | SeedRange, Field(discriminator="type")]])


def read(text: str | bytes) -> list[SeedAccount]:
    """The accounts of a file. Raises `ConfigurationError`."""
    try:
        elements = _FILE.validate_json(text)
        return [one for item in elements for one in (item.accounts if isinstance(item, SeedRange) else [item])]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ConfigurationError(f"This is no file of accounts: {place}: {first['msg']}") from error


class Seeding:
    """Writes such accounts; those with the same ids are replaced."""

    def __init__(self, store: Store, clock: Clock, app_name: str) -> None:
        self._store = store
        self._clock = clock
        self._app_name = app_name

    async def write(self, seeds: Sequence[SeedAccount], progress: Progress) -> None:
        """Write the accounts. Raises `ConfigurationError` when an account with another id has a name of theirs."""
        await self._store.counters.raise_to("accounts", max((seed.id for seed in seeds), default=0))
        for start in range(0, len(seeds), _AT_ONCE):
            some = [self._account(seed) for seed in seeds[start : start + _AT_ONCE]]
            try:
                await self._store.bulk.put(some)
            except IdentifierTaken as error:
                name = error.identifier
                raise ConfigurationError(f"{name} belongs to an account with another id; remove that first.") from error
            progress(len(some))

    def _account(self, seed: SeedAccount) -> Account:
        now = self._clock.second()
        username, domain = seed.username.lower(), seed.domain.lower()
        return Account(
            id=seed.id,
            username=username,
            domain=domain,
            created_at=now,
            updated_at=now,
            activated=seed.activated,
            activated_at=now if seed.activated else None,
            email=(seed.email and seed.email.lower()) if "email" in seed.model_fields_set else f"{username}@{domain}",
            phone=seed.alias.alias if seed.alias else None,
            user_agent=self._app_name,
            confirmation=Confirmation(key=seed.confirmation_key) if seed.confirmation_key else None,
            passwords=tuple(Password(item.algorithm, item.hash) for item in seed.passwords),
        )
