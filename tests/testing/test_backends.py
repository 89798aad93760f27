"""One use of a backend in a test."""

import pytest

from flexiapi.plugin import BackendConfig, Permanent, Receipt, Retryable, SmsBackend, SmsMessage
from flexiapi.testing import failure_of, run_backend

PHONE = "+33612345678"


class Told(SmsBackend[BackendConfig]):
    """Notes the calls that it gets."""

    Config = BackendConfig

    def __init__(self, config):
        super().__init__(config)
        self.calls = []

    async def start(self):
        self.calls.append("start")

    async def send(self, message):
        self.calls.append(message.phone)
        if message.text == "refuse":
            raise Permanent(f"no such number: {message.phone}")
        return Receipt("1")

    async def close(self):
        self.calls.append("close")


@pytest.fixture
def backend():
    return Told(BackendConfig())


def send(backend, text="hello"):
    return run_backend(backend, lambda started: started.send(SmsMessage(PHONE, text)))


def test_a_backend_is_started_used_and_closed(backend):
    assert send(backend).id == "1"
    assert backend.calls == ["start", PHONE, "close"]


def test_a_backend_is_closed_after_a_failure(backend):
    error = failure_of(lambda: send(backend, "refuse"))
    assert isinstance(error, Permanent)
    assert backend.calls == ["start", PHONE, "close"]


def test_a_reason_that_tells_the_number_fails(backend):
    with pytest.raises(AssertionError, match="the reason of a failure is logged"):
        failure_of(lambda: send(backend, "refuse"), PHONE)


def test_a_success_is_no_failure(backend):
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        failure_of(lambda: send(backend))


def test_other_failures_are_not_caught(backend):
    def bug():
        raise KeyError(PHONE)

    with pytest.raises(KeyError):
        failure_of(bug)


def test_what_is_private_may_be_absent(backend):
    def busy():
        raise Retryable("busy")

    assert failure_of(busy, PHONE, "hello").reason == "busy"
