"""Voicemail: messages that callers leave, and the slots that announce them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_RIFF, _WAVE, _WAVE_AT = b"RIFF", b"WAVE", 8
_LONGEST_ADDRESS = 80
_OGG, _OPUS, _OPUS_AT = b"OggS", b"OpusHead", 28

SNIFFED_BYTES = _OPUS_AT + len(_OPUS)
"""The number of first bytes that tell the type of a file."""


class SoundType(StrEnum):
    """The media types of voicemail."""

    WAV = "audio/wav"
    OPUS = "audio/opus"

    @property
    def extension(self) -> str:
        """The end of the names of such files."""
        return "wav" if self is SoundType.WAV else "opus"

    @property
    def served_as(self) -> str:
        """The media type of the file itself: Opus comes in an Ogg container, as browsers call it."""
        return "audio/wav" if self is SoundType.WAV else "audio/ogg"

    def fits(self, beginning: bytes) -> bool:
        """Return whether a file that begins with these bytes is of this type."""
        if self is SoundType.WAV:
            return beginning.startswith(_RIFF) and beginning[_WAVE_AT:].startswith(_WAVE)
        return beginning.startswith(_OGG) and beginning[_OPUS_AT:].startswith(_OPUS)


@dataclass(frozen=True, slots=True)
class VoicemailSlot:
    """An announced voicemail, which one upload fills.

    Attributes:
        id: id of the voicemail that it becomes.
        caller: SIP URI of the caller, as it was given; `None` if it is unknown.
    """

    id: str
    account_id: int
    caller: str | None
    type: SoundType
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Voicemail:
    """A stored voicemail.

    Attributes:
        id: 32 hexadecimal digits, with dashes as in a UUID.
        caller: SIP URI of the caller, as it was given; `None` if it is unknown.
        size: number of bytes.
        file_id: id of the file in the database.
        link: the secret part of its URL; empty if its seal does not open.
    """

    id: str
    account_id: int
    caller: str | None
    type: SoundType
    size: int
    created_at: datetime
    uploaded_at: datetime
    expires_at: datetime
    file_id: str = field(repr=False)
    link: str = field(repr=False)

    @property
    def caller_address(self) -> str | None:
        """The address of the caller as people write it. The caller chose it, so it has a limit."""
        return None if self.caller is None else self.caller.partition(":")[2].partition(";")[0][:_LONGEST_ADDRESS]

    @property
    def name(self) -> str:
        """The name of its file: the client's own is never used."""
        return f"voicemail-{self.uploaded_at:%Y%m%d-%H%M%S}.{self.type.extension}"


@dataclass(frozen=True, slots=True)
class VoicemailBox:
    """The voicemails of an account, the newest first, and the bytes of all."""

    voicemails: Sequence[Voicemail]
    size: int
