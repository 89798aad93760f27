"""Base classes of failures, and those that no caller of the API sees."""

from collections.abc import Sequence
from typing import ClassVar

FieldErrors = dict[str, list[str]]


class Violations(ValueError):
    """The rules that one value breaks; `{field}` in a text stands for the parameter's name."""

    def __init__(self, *texts: str) -> None:
        super().__init__("; ".join(texts))
        self.texts = texts


class FlexiapiError(Exception):
    """The base class of all failures."""


class ConfigurationError(FlexiapiError):
    """The server cannot start as configured; the text says what to change."""


class SealBroken(ConfigurationError):
    """A sealed value that no known application key opens."""


class ChangesLost(FlexiapiError):
    """The position in the store's changes is no longer known: it is too old, or belongs to another database."""

    def __init__(self, reason: str = "its position is no longer known") -> None:
        super().__init__(reason)


class ChangesUnsupported(FlexiapiError):
    """The store cannot report changes, because MongoDB is not a replica set."""


class ApiError(FlexiapiError):
    """A failure that is reported to the caller. `message` is shown to users and never contains secrets."""

    status: ClassVar[int] = 500
    message: str = "The server failed. Try again later."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)
        if message is not None:
            self.message = message

    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the headers of the answer."""
        return ()

    def body(self) -> dict[str, object]:
        """Return the JSON object of the answer."""
        return {"message": self.message}
