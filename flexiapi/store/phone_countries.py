"""Countries whose phone numbers administrators of a space have switched off, by calling code."""

from flexiapi.model import Actor, Space
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal


class PhoneCountryStore(Records):
    """One document per space, in `meta`. It is read each time, so every process of every host sees a change at once."""

    def __init__(self, database: Database, journal: Journal) -> None:
        super().__init__(database)
        self._meta = database["meta"]
        self._journal = journal

    async def deactivated(self, space: Space) -> frozenset[str]:
        """Return the calling codes that are switched off."""
        document = await self._meta.find_one({"_id": _name(space)})
        return frozenset() if document is None else frozenset(document.get("deactivated", ()))

    async def switch(self, calling_code: str, space: Space, actor: Actor, *, on: bool) -> None:
        """Switch a calling code on or off."""
        event = f"phone_country.{'activated' if on else 'deactivated'}"
        details = {"calling_code": calling_code, **({} if space.stored is None else {"space": space.stored})}
        announced = await self._journal.announcements.announce("meta", actor, event, details)
        change = {"$pull" if on else "$addToSet": {"deactivated": calling_code}}
        await self._meta.update_one({"_id": _name(space)}, change, upsert=True)
        await self._journal.announcements.tell(announced)


def _name(space: Space) -> str:
    return f"phone_countries{space.suffix}"
