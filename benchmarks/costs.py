"""Costs of processes as `/proc` has them: processor time, memory, children."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the time that the processes have had on processors, in their own code and in the kernel."""
    return sum(ticks((_PROC / str(pid) / "stat").read_text()) for pid in pids) / _TICKS


def ticks(stat: str) -> int:
    """Return user and system time of a line of `/proc/PID/stat`. The name of a program may hold blanks and brackets."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_bytes(pid: int) -> int:
    return resident((_PROC / str(pid) / "status").read_text())


def resident(status: str) -> int:
    """Return the resident memory in the text of `/proc/PID/status`, in bytes."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def children(pid: int) -> list[int]:
    return [int(child) for child in (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]


def busy_seconds() -> float:
    """Return the time that the processors of the machine have worked for anything, or were taken by its host."""
    return busy_ticks((_PROC / "stat").read_text()) / _TICKS


def busy_ticks(stat: str) -> int:
    """Return the time in the text of `/proc/stat` that is neither idle nor waits for a disk, guests' once."""
    user, nice, system, _idle, _wait, *others = map(int, stat.split("\n", 1)[0].split()[1:9])
    return user + nice + system + sum(others)
