"""Details that a creation, replacement or amendment of an account sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from flexiapi.crypto.keys import random_text
from flexiapi.errors import ValidationFailed
from flexiapi.model import Algorithm, DictionaryEntry, DtmfProtocol

_RANDOM_LENGTH = 20


def random_password() -> str:
    """Return a password for an account whose owner does not need one: its phones are set up by a link."""
    return random_text(_RANDOM_LENGTH)


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """The details of an account, the password in the clear.

    Without `domain` a new account is in the SIP domain, and a replaced one stays in its own.
    Without `language`, `dictionary` or `blocked` a replaced one keeps its own.
    """

    username: str
    password: str
    algorithm: Algorithm
    domain: str | None = None
    email: str | None = None
    phone: str | None = None
    display_name: str | None = None
    dtmf_protocol: DtmfProtocol | None = None
    admin: bool = False
    language: str | None = None
    dictionary: Mapping[str, str] | None = None
    blocked: bool | None = None


def entries_of(dictionary: Mapping[str, str]) -> tuple[DictionaryEntry, ...]:
    """Return the entries of a dictionary."""
    return tuple(DictionaryEntry(key, value) for key, value in dictionary.items())


class Amendments(TypedDict, total=False):
    """The details that an amendment of an account sets; it keeps those that are absent."""

    username: str
    password: str
    algorithm: Algorithm
    domain: str
    email: str | None
    phone: str | None
    display_name: str | None
    dtmf_protocol: DtmfProtocol | None
    admin: bool
    language: str | None
    dictionary: Mapping[str, str]
    blocked: bool


class PasswordNeeded(ValidationFailed):
    """Another username or domain came without a password."""

    def __init__(self) -> None:
        text = "password is required with another username or domain: its hash is made with them"
        super().__init__({"password": [text]})
