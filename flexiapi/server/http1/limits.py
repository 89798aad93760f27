"""Limits of a connection: sizes in bytes, times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Most that a client may send, and longest that it may take.

    `header_bytes` are those of the request line and all headers, `body_bytes` those of a body without chunk framing.
    The times for headers and body run from the first byte of each, and further bytes do not renew them.
    """

    target_bytes: int = 16 * 1024
    header_bytes: int = 32 * 1024
    headers: int = 100
    body_bytes: int = 16 * 1024 * 1024
    header_seconds: float = 20.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    write_seconds: float = 30.0
    linger_seconds: float = 5.0
