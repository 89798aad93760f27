"""Settings of address books of an organisation, which phones search by CardDAV."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from flexiapi.settings.values import Names, SettingsSection, SipDomain

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?")
_FIELD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def _is_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"`{value}` is no name of a directory: lower-case letters, digits, - and _ (at most 32)")
    return value


def _is_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("it must be a URL without user and password, such as https://dav.example.org/addressbooks/")
    return value


def _are_fields(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not _FIELD.fullmatch(value):
            raise ValueError(f"`{value}` is no property of a vCard, such as FN or ORG")
    return values


DirectoryName = Annotated[str, AfterValidator(_is_name)]
_Fields = Annotated[Names, AfterValidator(_are_fields)]


class DirectorySettings(SettingsSection):
    """A directory: its address, and how phones search it."""

    uri: Annotated[str, AfterValidator(_is_url)] = Field(description="URL of the address books on the CardDAV server")
    domain: SipDomain | None = Field(
        None, description="SIP domain whose accounts get it, app.sip_domain or one with a table; unset, app.sip_domain"
    )
    enabled: bool = Field(True, description="phones search it")
    min_characters: int = Field(3, ge=1, description="shortest text that is searched for, in characters")
    results_limit: int = Field(0, ge=0, description="most results of a search; 0 for any number")
    timeout: int = Field(5, ge=1, description="how long a search may take, in seconds")
    delay: int = Field(500, ge=100, description="time without a key before a search begins, in milliseconds")
    fields_for_user_input: _Fields = Field(
        (), description="vCard properties that are searched; none is the app's choice"
    )
    fields_for_domain: _Fields = Field((), description="vCard properties with a SIP domain; none is the app's choice")
    use_exact_match_policy: bool = Field(
        False, description="find whole values alone, not those that have the text in them"
    )


DirectoryTables = dict[DirectoryName, DirectorySettings]
