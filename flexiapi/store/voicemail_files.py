"""The sound of voicemails, in MongoDB by the layout of GridFS, written and read piece by piece.

The buckets of the drivers gather up to 48 MB before they write, which is more than a voicemail has (decision 0105).
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

from flexiapi import failpoints
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

CHUNK_BYTES = 255 * 1024
_CHUNKS_AT_ONCE = 2

Document = dict[str, Any]


class VoicemailFiles(Records):
    """The files, each noted as a leftover while no voicemail has it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._files = database["voicemail_files.files"]
        self._chunks = database["voicemail_files.chunks"]
        self._leftovers = database["voicemail_leftovers"]

    async def begin(self, now: datetime) -> str:
        """Note that a file is being written, and return its id."""
        file_id = ObjectId()
        await self._leftovers.insert_one({"_id": file_id, "since": now})
        return str(file_id)

    async def add(self, file_id: str, number: int, chunk: bytes) -> None:
        """Write a chunk of a file, `CHUNK_BYTES` long but for the last one. The first `number` is 0."""
        await self._chunks.insert_one({"files_id": ObjectId(file_id), "n": number, "data": chunk})
        failpoints.reach("voicemail-chunk-written")

    async def complete(self, file_id: str, size: int, name: str, now: datetime) -> None:
        """Note that all pieces are written."""
        file = {"length": size, "chunkSize": CHUNK_BYTES, "uploadDate": now, "filename": name}
        await self._files.insert_one({"_id": ObjectId(file_id), **file})
        failpoints.reach("voicemail-written")

    async def keep(self, file_id: str) -> None:
        """Note that a voicemail has the file."""
        await self._leftovers.delete_one({"_id": ObjectId(file_id)})

    async def leave(self, file_ids: Sequence[str], now: datetime) -> None:
        """Note that files are to be removed, before their voicemails are."""
        for file_id in file_ids:
            await self._leftovers.update_one({"_id": ObjectId(file_id)}, {"$set": {"since": now}}, upsert=True)

    async def remove(self, file_id: str) -> None:
        """Remove a file with all that is written of it."""
        await self._files.delete_one({"_id": ObjectId(file_id)})
        await self._chunks.delete_many({"files_id": ObjectId(file_id)})
        await self._leftovers.delete_one({"_id": ObjectId(file_id)})

    async def left_behind(self, before: datetime, most: int) -> list[str]:
        """Return ids of files that have been leftovers since before."""
        found = await self._leftovers.find({"since": {"$lt": before}}, {"_id": 1}, limit=most).to_list(None)
        return [str(document["_id"]) for document in found]

    async def chunks(self, file_id: str, first: int) -> list[bytes]:
        """Return some chunks of a file, from that number on; none after its end."""
        query = {"files_id": ObjectId(file_id), "n": {"$gte": first, "$lt": first + _CHUNKS_AT_ONCE}}
        return [bytes(chunk["data"]) for chunk in await self._chunks.find(query).sort("n", 1).to_list(None)]

    async def pieces(self, file_id: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a file from `start` to before `stop`. It ends early if the file is removed meanwhile."""
        number, skipped = divmod(start, CHUNK_BYTES)
        left = stop - start
        while left > 0 and (found := await self.chunks(file_id, number)):
            for chunk in found:
                piece = chunk[skipped : skipped + left]
                yield piece
                left -= len(piece)
                skipped = 0
            number += len(found)
