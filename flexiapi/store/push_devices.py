"""Devices that creation tokens were pushed to, with the number of tokens and the unused one."""

import contextlib
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from flexiapi.model import Actor, PushDevice
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database
from flexiapi.store.tokens import key_of

Document = dict[str, Any]


class PushDeviceStore(Records):
    """One record per device that was sent a token. The state of the token itself is in the token collection."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._devices = database["push_devices"]
        self._tokens = database["creation_tokens"]

    async def reserve(self, device: PushDevice, actor: Actor, now: datetime, until: datetime, most: int) -> bool:
        """Reserve the sending of a token. Return False if one is under way or unused, or the device has had `most`."""
        key = _key(device, actor)
        known = await self._known(device, key, actor)
        waits_until = known.get("waits_until")
        if waits_until is not None and waits_until > now and not await self._is_used_up(known, now):
            return False
        # A concurrent request then finds another `waits_until` here, and cannot insert a second record.
        query: Document = {"_id": key, "tokens": {"$lt": most}, "waits_until": waits_until}
        change: Document = {"$inc": {"tokens": 1}, "$set": {"waits_until": until}, "$unset": {"waits_for": ""}}
        try:
            await self._devices.update_one(query, change, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def _known(self, device: PushDevice, key: bytes, actor: Actor) -> Document:
        """Return the record of a device. One that was kept under this spelling of its address counts for the device."""
        before = _key_by_address(device, actor)
        found = {record["_id"]: record async for record in self._devices.find({"_id": {"$in": [key, before]}})}
        known: Document = found.get(key, {})
        if known or before not in found:
            return known
        known = {**found[before], "_id": key}
        # Without the record of a concurrent request, which has the same count.
        with contextlib.suppress(DuplicateKeyError):
            await self._devices.insert_one(known)
        return known

    async def _is_used_up(self, device: Document, now: datetime) -> bool:
        """Return True if the last token sent to the device can no longer be used; False while it is being sent."""
        if "waits_for" not in device:
            return False
        free = {"_id": device["waits_for"], "used_at": {"$exists": False}, "expires_at": {"$gt": now}}
        return await self._tokens.find_one(free, {"_id": 1}) is None

    async def note_sent(self, device: PushDevice, token: str, actor: Actor) -> None:
        """Note which token the device holds."""
        change = {"$set": {"waits_for": key_of(token, actor)}}
        await self._devices.update_one({"_id": _key(device, actor)}, change)

    async def release(self, device: PushDevice, actor: Actor) -> None:
        """Undo a reservation, because nothing was sent."""
        key = _key(device, actor)
        # Any caller can invent devices: those that were sent nothing leave no record.
        if (await self._devices.delete_one({"_id": key, "tokens": {"$lte": 1}})).deleted_count:
            return
        await self._devices.update_one({"_id": key}, {"$inc": {"tokens": -1}, "$unset": {"waits_until": ""}})


def _key(device: PushDevice, actor: Actor) -> bytes:
    """Return the key of a device in the actor's space: what one space sent it does not count in another."""
    return key_of(f"device\x1f{device.identity}", actor)


def _key_by_address(device: PushDevice, actor: Actor) -> bytes:
    """Return the key under which servers of before keep a device: one for each spelling of its address."""
    address = device.address
    return key_of(f"{address.provider}\x1f{address.param}\x1f{address.prid}", actor)
