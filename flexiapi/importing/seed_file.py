"""JSON files of accounts in the format of the liblinphone tester, which migrations also write."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from flexiapi.errors import ConfigurationError
from flexiapi.model import Algorithm

_ID = "%id%"
_POSTFIX = "%usernamePostfix%"
_RANGE_PASSWORD = "secret"  # noqa: S105  # given by the format
_DIGITS = {Algorithm.MD5: 32, Algorithm.SHA_256: 64}
_HEXADECIMAL = re.compile("[0-9a-fA-F]*")
_TOLD = 10


class Seed(BaseModel):
    """A JSON object of the file; unknown keys are collected, so that they can be reported."""

    model_config = ConfigDict(extra="allow")

    @property
    def unknown(self) -> list[str]:
        """The unknown keys of the object and of the objects inside it."""
        inside = [part for value in self.__dict__.values() for part in (value if isinstance(value, tuple) else [value])]
        return [*(self.model_extra or {}), *(key for part in inside if isinstance(part, Seed) for key in part.unknown)]


class SeedPassword(Seed):
    """A stored password: a hash, or a clear text with the algorithm CLRTXT."""

    hash: str
    algorithm: Algorithm

    @model_validator(mode="after")
    def _is_a_hash(self) -> Self:
        digits = _DIGITS.get(self.algorithm)
        if digits is None and not self.hash:
            raise ValueError("the clear text is empty")
        if digits is not None and not (len(self.hash) == digits and _HEXADECIMAL.fullmatch(self.hash)):
            raise ValueError(f"a hash of {self.algorithm} has {digits} hexadecimal digits")
        return self

    @property
    def ha1(self) -> str:
        """The stored form; hashes in lower case, as clients compute with them."""
        return self.hash.lower() if self.algorithm in _DIGITS else self.hash


class SeedAlias(Seed):
    """A phone number."""

    alias: str
    domain: str | None = None


class SeedAccount(Seed):
    """An account."""

    type: Literal["account"]
    id: int = Field(ge=1, lt=2**31)
    username: str
    domain: str
    activated: bool = True
    confirmation_key: str | None = None
    email: str | None = Field(None, description="`username@domain` when the key is absent; null is none")
    passwords: tuple[SeedPassword, ...] = ()
    alias: SeedAlias | None = None

    @property
    def accounts(self) -> Iterator["SeedAccount"]:
        """The account itself."""
        yield self


class SeedRange(Seed):
    """A series of accounts that differ in a number, for which `%id%` and `%usernamePostfix%` stand."""

    type: Literal["range"]
    id: str = Field(_ID, pattern=r"^[0-9]*(%id%|[0-9])[0-9]*$")
    username: str
    domain: str
    iteration: int = Field(ge=0, le=1_000_000)
    id_start: int = Field(alias="idStart", ge=1, lt=2**30)
    username_start: int = Field(alias="usernameStart", ge=0)
    activated: bool = True
    confirmation_key: str | None = None

    @property
    def accounts(self) -> Iterator[SeedAccount]:
        """The accounts of the series."""
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


_ELEMENT: TypeAdapter[SeedAccount | SeedRange] = TypeAdapter(
    Annotated[SeedAccount | SeedRange, Field(discriminator="type")]
)


@dataclass(frozen=True, slots=True)
class SeedFile:
    """The content of a file; `unknown` maps each unknown key to the accounts that have it."""

    accounts: list[SeedAccount]
    unknown: dict[str, list[str]]


def read(text: str | bytes) -> SeedFile:
    """Parse the accounts of a file. Raises `ConfigurationError` naming the invalid ones."""
    accounts: list[SeedAccount] = []
    unknown: dict[str, list[str]] = {}
    wrong: list[str] = []
    for place, element in enumerate(_elements(text), 1):
        name = _name(place, element)
        try:
            seed = _ELEMENT.validate_python(element)
            accounts += seed.accounts
            for key in seed.unknown:
                unknown.setdefault(key, []).append(name)
        except ValidationError as error:
            wrong += [f"{name}: {text}" for text in _texts(error)]
    if wrong:
        more = [f"and {len(wrong) - _TOLD} more"] if len(wrong) > _TOLD else []
        raise ConfigurationError("\n  ".join(["Nothing was written. Correct the file:", *wrong[:_TOLD], *more]))
    return SeedFile(accounts, unknown)


def _elements(text: str | bytes) -> list[Any]:
    try:
        elements = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"This is not a file of accounts, because it is not JSON: {error}.") from error
    if not isinstance(elements, list):
        raise ConfigurationError("This is not a file of accounts, which is a JSON list: [{...}, {...}].")
    return elements


def _name(place: int, element: Any) -> str:
    known = element if isinstance(element, dict) else {}
    who = [f"id {known['id']}"] if isinstance(known.get("id"), int) else []
    who = [known["username"], *who] if isinstance(known.get("username"), str) else who
    return f"account {place} ({', '.join(who)})" if who else f"account {place}"


def _texts(error: ValidationError) -> list[str]:
    """Return field and problem of each error, without the values: some are hashes."""
    texts = []
    for detail in error.errors(include_input=False, include_url=False, include_context=False):
        tagged = detail["loc"][:1] in (("account",), ("range",))
        where = ".".join(str(step) for step in detail["loc"][1 if tagged else 0 :])
        untyped = detail["type"].startswith("union_tag")
        trouble = 'type is "account" or "range"' if untyped else detail["msg"].removeprefix("Value error, ")
        texts.append(f"{where}: {trouble}" if where else trouble)
    return texts
