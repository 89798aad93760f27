"""Shorter times of the work on events, in processes that have this folder in PYTHONPATH."""

from datetime import timedelta

from flexiapi.events import numbering
from flexiapi.flexisip import follower

numbering.LEASE_SECONDS = 0.4
numbering.LEASE_LIFE = timedelta(seconds=3)
numbering.SWEEP_SECONDS = 0.5
numbering.LEFT_BEHIND = timedelta(seconds=1)
numbering.RESOLVE_AFTER = timedelta(seconds=6)
follower.NOTE_SECONDS = 0.1
follower.LOCK_SECONDS = 0.2
follower.RETRY_SECONDS = 0.2
