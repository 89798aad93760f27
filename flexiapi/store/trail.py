"""The trail of changes: who changed what."""

from flexiapi.model import Actor
from flexiapi.observing import log


def trace(actor: Actor, event: str, **subject: int | str) -> None:
    """Log a change at level debug, with the ids of what changed. Values and secrets are never part of it."""
    log.debug(event, actor=actor.label, ip=actor.address, **subject)
