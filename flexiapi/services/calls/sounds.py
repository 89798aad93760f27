"""Sound files: their type by their first bytes, and their storing while they arrive."""

from collections.abc import AsyncIterator

from flexiapi.errors import BodyTooLarge, ValidationFailed
from flexiapi.model import SNIFFED_BYTES, SoundType
from flexiapi.store.voicemail_files import CHUNK_BYTES, VoicemailFiles


async def written(
    files: VoicemailFiles, file_id: str, content: AsyncIterator[bytes], sound: SoundType, most_bytes: int
) -> int:
    """Write the content as it comes, and return its number of bytes.

    Raises `ValidationFailed` if its first bytes are not those of the type, `BodyTooLarge`, and what reading does.
    """
    size = number = 0
    waiting = bytearray()
    is_known = False
    async for piece in content:
        waiting += piece
        size += len(piece)
        if size > most_bytes:
            raise BodyTooLarge
        if not is_known and len(waiting) >= SNIFFED_BYTES:
            _check(waiting, sound)
            is_known = True
        while len(waiting) >= CHUNK_BYTES:
            await files.add(file_id, number, bytes(waiting[:CHUNK_BYTES]))
            del waiting[:CHUNK_BYTES]
            number += 1
    if not is_known:
        _check(waiting, sound)
    if waiting:
        await files.add(file_id, number, bytes(waiting))
    return size


def _check(beginning: bytearray, sound: SoundType) -> None:
    if not sound.fits(bytes(beginning[:SNIFFED_BYTES])):
        raise ValidationFailed({"file": [f"file must be a sound of the type {sound}, which was announced"]})
