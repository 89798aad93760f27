"""Readiness of a server process: the reasons why it is not ready, by subject."""

from collections.abc import Mapping


class Readiness:
    """The subjects that a process still waits for. It is ready when there are none."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    @property
    def reasons(self) -> Mapping[str, str]:
        """The reason by subject, each a sentence for the operator."""
        return dict(self._reasons)

    @property
    def is_ready(self) -> bool:
        """True if the process waits for nothing."""
        return not self._reasons

    def wait_for(self, subject: str, reason: str) -> bool:
        """Note what the process waits for. Return True if that is new or its reason is another."""
        is_new = self._reasons.get(subject) != reason
        self._reasons[subject] = reason
        return is_new

    def settle(self, subject: str) -> bool:
        """Note that the process waits for a subject no longer. Return True if it did."""
        return self._reasons.pop(subject, None) is not None
