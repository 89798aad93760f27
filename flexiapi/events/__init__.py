"""Consequences of changes: their events are moved, numbered and followed."""

from flexiapi.events.feed import AccountFeeds
from flexiapi.events.figures import EventFigures, read_up_to
from flexiapi.events.following import EventFollower
from flexiapi.events.history import History
from flexiapi.events.moving import Moving
from flexiapi.events.numbering import Numbering

__all__ = ["AccountFeeds", "EventFigures", "EventFollower", "History", "Moving", "Numbering", "read_up_to"]
