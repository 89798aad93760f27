"""PUBLIC: test kit for notification backends (the extra `flexiapi[testing]`).

A backend's tests inherit from `BackendContract`; gateways are real servers on localhost whose answers the test sets.
The kit follows flexiapi's version: within one major version, tests of a correct backend that pass keep passing.
"""

import pytest

pytest.register_assert_rewrite(
    *(f"flexiapi.testing.{name}" for name in ("backends", "care", "contract", "declaration", "sending"))
)

from flexiapi.testing.backends import failure_of, run_backend, running_backend  # noqa: E402 - rewritten first
from flexiapi.testing.contract import BackendContract  # noqa: E402 - its asserts must be rewritten first
from flexiapi.testing.declaration import BackendDeclaration  # noqa: E402 - as above
from flexiapi.testing.http1 import Gateway  # noqa: E402 - as above
from flexiapi.testing.http2 import Http2Gateway  # noqa: E402 - as above
from flexiapi.testing.local_server import LocalServer  # noqa: E402 - as above
from flexiapi.testing.replies import GARBAGE, GOAWAY, RESET, SILENCE, Reply, Request, reply  # noqa: E402 - as above
from flexiapi.testing.smtp import ReceivedMail, SmtpGateway  # noqa: E402 - as above

__all__ = [
    "GARBAGE",
    "GOAWAY",
    "RESET",
    "SILENCE",
    "BackendContract",
    "BackendDeclaration",
    "Gateway",
    "Http2Gateway",
    "LocalServer",
    "ReceivedMail",
    "Reply",
    "Request",
    "SmtpGateway",
    "failure_of",
    "reply",
    "run_backend",
    "running_backend",
]
