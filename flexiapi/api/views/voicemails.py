"""Views of voicemails."""

from dataclasses import dataclass

from flexiapi.api.views.accounts import Moment
from flexiapi.model import Voicemail


@dataclass(kw_only=True)
class VoicemailSlotView:
    """An announced voicemail: its sound can be sent to `upload_url` once."""

    id: str
    sip_from: str | None
    content_type: str
    created_at: Moment
    upload_url: str
    download_url: str | None = None
    max_upload_size: int


@dataclass(kw_only=True)
class VoicemailView:
    """A stored voicemail. With `download_url` the sound can be read without a sign-in; only its owner is told."""

    id: str
    name: str
    size: int
    content_type: str
    sip_from: str | None
    uploaded_at: Moment
    created_at: Moment
    download_url: str | None

    @classmethod
    def of(cls, voicemail: Voicemail, download_url: str | None) -> "VoicemailView":
        """Return the view of a voicemail."""
        return cls(
            id=voicemail.id,
            name=voicemail.name,
            size=voicemail.size,
            content_type=voicemail.type,
            sip_from=voicemail.caller,
            uploaded_at=voicemail.uploaded_at,
            created_at=voicemail.created_at,
            download_url=download_url,
        )
