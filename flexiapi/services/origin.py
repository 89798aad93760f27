"""Where a request comes from, as far as the rules care."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The caller's IP address and the program's name."""

    address: str
    user_agent: str
