import asyncio

import pytest
import stamina
from structlog.testing import capture_logs

from flexiapi.errors import DeliveryFailed
from flexiapi.notify.discovery import Transport
from flexiapi.notify.outlet import Outlet
from flexiapi.plugin import Retryable, SmsMessage
from flexiapi.settings import DeliverySettings

MESSAGE = SmsMessage("+33612345678", "Your code is 4711")


def test_each_retry_is_told_with_its_backend_and_why(scripted):
    scripted.Sms.script[:] = [Retryable("busy"), Retryable("busier")]
    outlet = Outlet(Transport.SMS, "main", scripted.Sms(scripted.Config()), DeliverySettings(deadline_seconds=60))
    with capture_logs() as logs:
        asyncio.run(outlet.send(MESSAGE))
    assert logs == [
        {"event": "trying again", "log_level": "info", "backend": "sms.main", "attempt": 2, "reason": "busy"},
        {"event": "trying again", "log_level": "info", "backend": "sms.main", "attempt": 3, "reason": "busier"},
    ]


def test_no_retry_is_told_after_the_last_try(scripted):
    scripted.Sms.script[:] = [Retryable("busy")]
    outlet = Outlet(
        Transport.SMS, "main", scripted.Sms(scripted.Config()), DeliverySettings(deadline_seconds=60, tries=1)
    )
    with capture_logs() as logs, pytest.raises(DeliveryFailed):
        asyncio.run(outlet.send(MESSAGE))
    assert [entry["event"] for entry in logs] == ["delivery failed"]


def test_the_library_does_not_tell_of_them_too():
    assert stamina.instrumentation.get_on_retry_hooks() == ()
