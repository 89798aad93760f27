"""The log of tests is searched for PINs, which are four digits as years, ids and ports are."""

import pytest

from tests.kit.watched_log import WatchedLog

MOMENT = "2026-03-14T09:26:53.589793Z"


def look(line):
    watched = WatchedLog()
    watched.stream.write(f"{MOMENT} info    started\n{line}\n{MOMENT} info    stopped\n")
    watched.secrets = {"2026"}
    watched.check(errors=False)


@pytest.mark.parametrize(
    "line",
    [
        f"{MOMENT} info    request method=GET route=/api/ping status=200 ms=2026 account=2026 target=2026",
        f"{MOMENT} error   server process ended pid=2026 status=9",
        f"{MOMENT} info    ready url=http://127.0.0.1:2026 seconds=0.4",
        f'{{"timestamp": "{MOMENT}", "level": "info", "event": "request", "ms": 2026, "account": "2026"}}',
        f"{MOMENT} warning a certificate ends on 2026-04-01 12:00:00 logger=flexiapi",
        f'{MOMENT} error   request failed\n  File "/usr/lib/python3.11/asyncio/base_events.py", line 2026, in run',
    ],
)
def test_a_pin_that_equals_a_number_of_another_kind_is_no_leak(line):
    look(line)


@pytest.mark.parametrize(
    "line",
    [
        f"{MOMENT} info    sent the code 2026 to somebody",
        f"{MOMENT} 2026",
        f"{MOMENT} info    sent code=2026 account=17",
        f"{MOMENT} info    sent text='Your code is 2026'",
        f"{MOMENT} info    request method=GET route=/api/accounts/alice/recover/2026 status=200 ms=1.5",
        f"{MOMENT} info    ready url=http://127.0.0.1:8080/recover/2026 seconds=0.4",
        f'{{"timestamp": "{MOMENT}", "event": "sent", "code": 2026, "account": 17}}',
        '  File "/srv/flexiapi/services/recovery.py", line 12, in send: 2026',
    ],
)
def test_a_pin_in_a_message_is_found(line):
    with pytest.raises(AssertionError, match=r"secrets in the log: .*2026"):
        look(line)
