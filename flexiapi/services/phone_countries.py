"""Countries whose phone numbers accounts may get."""

from collections.abc import Sequence

from flexiapi.errors import CountryNotAllowed, RecordNotFound
from flexiapi.model import Actor, PhoneCountry, Space, calling_code_of, calling_codes
from flexiapi.store import Store

_TEXT = "{field} must belong to an authorized country"


class PhoneCountries:
    """The countries of a space: those that its settings name, without those that its administrators switched off.

    Countries with the same calling code go together. Numbers that accounts have already stay, and so does recovery.
    """

    def __init__(self, store: Store) -> None:
        self._store = store.phone_countries
        self._calling_codes = calling_codes()

    async def all(self, space: Space) -> Sequence[PhoneCountry]:
        """Return all countries, by their letters."""
        off = await self._store.deactivated(space)
        allowed = self._allowed(space)
        return [
            PhoneCountry(code, calling, (allowed is None or calling in allowed) and calling not in off)
            for code, calling in self._calling_codes.items()
        ]

    def _allowed(self, space: Space) -> frozenset[str] | None:
        """Return the calling codes that the settings allow, `None` for all."""
        return frozenset(self._calling_codes[code] for code in space.phone_countries) or None

    async def switch(self, code: str, space: Space, actor: Actor, *, on: bool) -> Sequence[PhoneCountry]:
        """Switch a country and all others of its calling code on or off, and return these.

        Raises `RecordNotFound` for an unknown country, and `CountryNotAllowed` to activate one that the settings
        do not allow.
        """
        calling = self._calling_codes.get(code)
        if calling is None:
            raise RecordNotFound
        allowed = self._allowed(space)
        if on and allowed is not None and calling not in allowed:
            raise CountryNotAllowed
        await self._store.switch(calling, space, actor, on=on)
        return [country for country in await self.all(space) if country.calling_code == calling]

    async def faults(self, phone: str | None, space: Space, field: str = "phone") -> dict[str, list[str]]:
        """Check a number that an account of the space is to get, and that it does not have yet."""
        if not phone:
            return {}
        calling, allowed = calling_code_of(phone), self._allowed(space)
        is_allowed = allowed is None or calling in allowed
        if is_allowed and calling not in await self._store.deactivated(space):
            return {}
        return {field: [_TEXT.format(field=field)]}
