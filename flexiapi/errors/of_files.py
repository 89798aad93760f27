"""Failures of requests that bring or read files."""

from collections.abc import Sequence

from flexiapi.errors.base import ApiError
from flexiapi.errors.refused import Forbidden


class VoicemailFull(Forbidden):
    """The account has as many voicemails, or as large ones, as it may have."""

    message = "The voicemail of this account is full."


class UploadAborted(ApiError):
    """The connection ended in the middle of an upload; only the log has this answer."""

    status = 400
    message = "The upload was not completed."


class RangeNotSatisfiable(ApiError):
    """The range of bytes begins after the end of the file, which is `size` bytes long."""

    status = 416
    message = "The file does not have this range of bytes."

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the size of the file."""
        return [("Content-Range", f"bytes */{self.size}")]
