"""Doubts of backends about their own settings."""

from typing import Any

from flexiapi.notify.outlet import Outlet

_LONGEST_TEXT = 300
_MOST = 20


def doubts_of(outlet: Outlet[Any]) -> tuple[str, ...]:
    """Return what the backend finds doubtful in its settings, each as a sentence; nothing if it fails."""
    try:
        return tuple(f"{text}"[:_LONGEST_TEXT] for text in outlet.backend.warnings())[:_MOST]
    except Exception:  # noqa: BLE001 - a plugin may be wrong in any way, and its messages are sent nevertheless
        return ()
