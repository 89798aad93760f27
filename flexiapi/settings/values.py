"""Types of settings: lists, networks, and values that an empty text leaves unset."""

import re
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, cast

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr

from flexiapi.language_tags import is_tag, spelt

Network = IPv4Network | IPv6Network
UNIX = "unix"
"""The word for peers that connect through a unix socket."""
UNIX_PREFIX = f"{UNIX}:"

# Of `sun_path`, with the zero at its end.
_UNIX_PATH_BYTES = 108

# Characters that a domain in a SIP address cannot have are excluded; an address literal has its brackets.
_DOMAIN = re.compile(r"""[^\s"'<>@:;/?&=,%\\\[\]]+|\[[0-9A-Fa-f:.]+\]""")
_SCHEME = re.compile(r"(?!(?:javascript|data|vbscript|blob|file):)[a-z][a-z0-9+.-]*:(?://)?")
_PHONE_PREFIX = re.compile(r"\+[0-9]{0,15}")
_FILE_MODE = re.compile(r"0?[0-7]{3}")
_PAGE_URL = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
_ROOT_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?", re.IGNORECASE)


def _separated(value: object) -> object:
    """Split a comma-separated list, as it is written in the environment."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _networks(value: object) -> object:
    """Parse addresses and networks. Raises `ValueError` with the position of a wrong one."""
    items = _separated(value)
    return list(_parsed(items, ())) if isinstance(items, list | tuple) else items


def _sources(value: object) -> object:
    """Parse addresses, networks and the word `unix`. Raises `ValueError` with the position of a wrong one."""
    items = _separated(value)
    return list(_parsed(items, (UNIX,))) if isinstance(items, list | tuple) else items


def _parsed(items: Iterable[object], words: Collection[str]) -> Iterator[object]:
    for number, item in enumerate(items, start=1):
        if item in words:
            yield item
            continue
        try:
            yield ip_network(cast("str", item))
        except ValueError as error:
            others = "".join(f", or the word `{word}`" for word in words)
            raise ValueError(f"number {number} is not an IP address or network, such as 10.0.0.0/8{others}") from error


def empty_is_unset(value: object) -> object:
    """Treat an empty variable, or the word `null`, as unset."""
    return None if value in ("", "null", "(null)") else value


def _is_domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError("is not a domain alone, such as sip.example.org")
    return value.lower()


def _is_prefix(value: str) -> str:
    if not _PHONE_PREFIX.fullmatch(value):
        raise ValueError(f"`{value}` begins no phone number: write + and digits, such as +33")
    return value


def _is_country(value: str) -> str:
    if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"`{value}` is no country: write its two letters, such as FR")
    return value.upper()


def _is_language(value: str) -> str:
    tag = value.replace("_", "-")
    if not is_tag(tag):
        raise ValueError("is not a language tag, such as fr or pt-BR")
    return spelt(tag)


def _is_root(value: str) -> str:
    if value and not _ROOT_URL.fullmatch(value):
        raise ValueError("is not an absolute URL, such as https://accounts.example.org")
    return value.rstrip("/")


def _is_page(value: str | None) -> str | None:
    if value is not None and not _PAGE_URL.fullmatch(value):
        raise ValueError("is not the URL of a page, such as https://www.example.org/terms")
    return value


def _is_listening_address(value: str) -> str:
    if not value.strip():
        raise ValueError("names no address; 127.0.0.1 is for this host only, 0.0.0.0 for all networks")
    if value.startswith(UNIX_PREFIX):
        path = value.removeprefix(UNIX_PREFIX)
        if not path.startswith("/") or path.endswith("/"):
            raise ValueError("names no unix socket: write the whole path, such as unix:/run/flexiapi/http.sock")
        if len(path.encode()) >= _UNIX_PATH_BYTES:
            raise ValueError(f"is too long: a path of a unix socket has less than {_UNIX_PATH_BYTES} bytes")
    return value


def _is_file_mode(value: str) -> str:
    if not _FILE_MODE.fullmatch(value):
        raise ValueError('is not a file mode, such as "0660"')
    return value


def _is_scheme(value: str) -> str:
    if value and not _SCHEME.fullmatch(value):
        raise ValueError("is not the scheme of an app, such as linphone-config:")
    return value


def _is_mail_address(value: str | None) -> str | None:
    if value is not None:
        try:
            validate_email(value, check_deliverability=False, globally_deliverable=False)
        except EmailNotValidError as error:
            raise ValueError("is not a mail address alone, such as help@example.org") from error
    return value


def _fits_a_header(value: str | None) -> str | None:
    if value is not None and not value.isprintable():
        raise ValueError("has characters that cannot stand in a challenge, such as control characters")
    return value


def _compiles(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_separated)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_networks)]
Sources = Annotated[tuple[Network | Literal["unix"], ...], BeforeValidator(_sources)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_separated)]
OptionalText = Annotated[str | None, BeforeValidator(empty_is_unset)]
OptionalPath = Annotated[Path | None, BeforeValidator(empty_is_unset)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(empty_is_unset)]

PhonePrefix = Annotated[str, AfterValidator(_is_prefix)]
PhonePrefixes = Annotated[tuple[PhonePrefix, ...], BeforeValidator(_separated)]
CountryCodes = Annotated[tuple[Annotated[str, AfterValidator(_is_country)], ...], BeforeValidator(_separated)]
LanguageTag = Annotated[str, AfterValidator(_is_language)]
LanguageTags = Annotated[tuple[LanguageTag, ...], BeforeValidator(_separated)]
SipDomain = Annotated[str, AfterValidator(_is_domain)]
ListeningAddress = Annotated[str, AfterValidator(_is_listening_address)]
FileMode = Annotated[str, AfterValidator(_is_file_mode)]
RootUrl = Annotated[str, AfterValidator(_is_root)]
AppLinkPrefix = Annotated[str, AfterValidator(_is_scheme)]
OptionalUrl = Annotated[OptionalText, AfterValidator(_is_page)]
Realm = Annotated[OptionalText, AfterValidator(_fits_a_header)]
OptionalMailAddress = Annotated[OptionalText, AfterValidator(_is_mail_address)]
Regex = Annotated[str, AfterValidator(_compiles)]


class SettingsSection(BaseModel):
    """A TOML table: unknown keys are errors, and values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)
