"""Settings of voicemail: what Flexisip's voicemail server may store, for how long, and the mails about it."""

from datetime import timedelta

from pydantic import Field

from flexiapi.settings.values import SettingsSection

_MIB = 1024 * 1024


class VoicemailSettings(SettingsSection):
    """Messages that callers leave, which Flexisip's voicemail server stores in the database."""

    enabled: bool = Field(True, description="store voicemail; false answers 404 on its endpoints and hides its page")
    days: int = Field(30, ge=1, description="how long a voicemail is kept, in days")
    max_mb: int = Field(
        25, ge=13, le=100, description="size of a voicemail, in MiB; with less than 13 Flexisip 2.6 records none"
    )
    files: int = Field(100, ge=1, le=1000, description="voicemails that an account can have")
    total_mb: int = Field(200, ge=13, description="size of all voicemails of an account, in MiB")
    slot_minutes: int = Field(60, ge=5, description="time in which a voicemail that was announced can come, in minutes")
    upload_seconds: float = Field(120.0, gt=0, description="how long the upload of a voicemail may take, in seconds")
    mail: bool = Field(True, description="send each voicemail to the proven mail address of its account")
    mail_max_mb: int = Field(
        10, ge=0, description="size up to which a mail has the sound attached, in MiB; above, it has a link alone"
    )

    @property
    def life(self) -> timedelta:
        """The life of a voicemail."""
        return timedelta(days=self.days)

    @property
    def slot_life(self) -> timedelta:
        """The life of an announced voicemail that does not come."""
        return timedelta(minutes=self.slot_minutes)

    @property
    def most_bytes(self) -> int:
        """The most bytes of a voicemail."""
        return self.max_mb * _MIB

    @property
    def most_bytes_of_account(self) -> int:
        """The most bytes of all voicemails of an account."""
        return self.total_mb * _MIB

    @property
    def most_attached_bytes(self) -> int:
        """The most bytes of a voicemail that is attached to its mail."""
        return self.mail_max_mb * _MIB
