"""Rules of user names and passwords, and conflicts with names in use."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from flexiapi.errors import FieldErrors, ValidationFailed
from flexiapi.model import Space, usual_name
from flexiapi.store import IdentifierTaken, Store

_SEPARATORS = str.maketrans("", "", " .-()")
_PHONE_LIKE = re.compile(r"\+?[0-9]{7,15}")
_LONGEST_NAME = 64
_FORBIDDEN = re.compile(r'[\s"<>@:;]')


class NameRules:
    """The rules of user names and passwords in a space. `{field}` in a text stands for the parameter."""

    __slots__ = ("_policy",)

    def __init__(self, space: Space) -> None:
        self._policy = space.names

    def username(self, value: str, *, may_be_phone: bool, check_length: bool = True) -> list[str]:
        """Return what is wrong with a user name."""
        if len(value) > _LONGEST_NAME:
            return ["{field} must have at most 64 characters"]
        texts = []
        shortest = self._policy.username_min_length
        if check_length and len(value) < shortest:
            texts.append(f"{{field}} must have at least {shortest} characters")
        if value != re.sub("[A-Z]", lambda letter: letter[0].lower(), value):
            texts.append("{field} must be in lower case")
        usual = usual_name(value)
        if not self._policy.username_regex.search(value) or not value.isprintable() or _FORBIDDEN.search(value + usual):
            texts.append("{field} has characters that are not allowed")
        if not may_be_phone and (usual.startswith("+") or _PHONE_LIKE.fullmatch(usual.translate(_SEPARATORS))):
            texts.append("{field} must not be a phone number")
        if any(map(self._is_blacklisted, {value, usual})):
            texts.append("{field} is taken")
        return texts

    def _is_blacklisted(self, value: str) -> bool:
        items = self._policy.blacklist
        return value in items or any(regex.search(value) for regex in map(compiled, items) if regex)

    def password(self, value: str) -> list[str]:
        """Return what is wrong with a new password."""
        shortest = self._policy.password_min_length
        if len(value) < shortest:
            return [f"{{field}} must have at least {shortest} characters"]
        if self._policy.refuses_common_passwords and value.lower() in common_passwords():
            return ["{field} is one of the commonest passwords: choose another one"]
        return []

    def password_for(self, password: str, *names: str | None) -> FieldErrors:
        """Return what is wrong with a password of an account with these names, whatever digits are at its end."""
        if self._policy.refuses_common_passwords:
            refused = {part for name in names if name for part in _without_digits(name)} - {""}
            if refused.intersection(_without_digits(password)):
                return {"password": ["password must not be the username or the domain"]}
        return {}


def _without_digits(text: str) -> tuple[str, str]:
    """Return a text in lower case, as it is and without the digits at its end."""
    lower = text.lower()
    return lower, lower.rstrip("0123456789")


@cache
def compiled(item: str) -> re.Pattern[str] | None:
    """Return an item of the blacklist as a regular expression, `None` if it is none and blocks one name only."""
    try:
        return re.compile(item)
    except re.error:
        return None


@cache
def common_passwords() -> frozenset[str]:
    """Return the most common passwords, in lower case."""
    text = (files("flexiapi.services") / "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


class Names:
    """Names in use. Lookups give the error messages; a unique index decides in the end."""

    def __init__(self, store: Store, *, email_unique: bool) -> None:
        self._store = store
        self._spaces = store.spaces
        self._email_unique = email_unique

    async def conflicts(
        self, values: Mapping[str, Any], domain: str, *, public: bool, own_id: int | None = None
    ) -> FieldErrors:
        """Return errors for `username`, `phone` and `email` that accounts other than `own_id` use."""
        errors: FieldErrors = {}
        space = self._spaces.by_domain.get(domain, self._spaces.default)
        username, phone, email = values.get("username"), values.get("phone"), values.get("email")
        if username and await self._is_username_taken(username, domain, space, public=public, own_id=own_id):
            errors["username"] = ["username is taken"]
        if phone and await self._is_phone_taken(phone, space, own_id):
            errors["phone"] = ["phone is taken"]
        if email and self._email_unique and await self._is_others(f"mailto:{email}{space.suffix}", own_id):
            errors["email"] = ["email is taken"]
        return errors

    async def _is_username_taken(
        self, username: str, domain: str, space: Space, *, public: bool, own_id: int | None
    ) -> bool:
        spellings = {username, usual_name(username)}
        for name in spellings:
            if await self._is_others(f"sip:{name}@{domain}", own_id):
                return True
        if username.startswith("+") and await self._is_others(f"tel:{username}{space.suffix}", own_id):
            return True
        return public and any([await self._store.tombstones.has(f"{name}@{domain}") for name in spellings])

    async def _is_phone_taken(self, phone: str, space: Space, own_id: int | None) -> bool:
        return await self._is_others(f"tel:{phone}{space.suffix}", own_id) or await self._is_others(
            f"sip:{phone}@{space.domain}", own_id
        )

    async def _is_others(self, identifier: str, own_id: int | None) -> bool:
        owner = await self._store.accounts.owner_of(identifier)
        return owner is not None and owner != own_id


def taken(error: IdentifierTaken, username: str | None) -> ValidationFailed:
    """Return the error for a name that another request took since it was looked up."""
    scheme, _, name = error.identifier.partition(":")
    if scheme == "mailto":
        return ValidationFailed({"email": ["email is taken"]})
    # `sip:name@domain`, `claim:number@domain`, or `tel:number`, which ends with `;space=domain` in some spaces.
    name = name.partition("@")[0].partition(";")[0]
    field = "username" if username is not None and name in (username, usual_name(username)) else "phone"
    return ValidationFailed({field: [f"{field} is taken"]})
