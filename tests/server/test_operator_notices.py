"""Mails to the operators."""

import os
import time

import pytest

from flexiapi.errors import DeliveryFailed
from flexiapi.plugin import Retryable, SmsMessage
from flexiapi.server.operator_notices import OperatorNotices


@pytest.fixture
def backup(tmp_path):
    path = tmp_path / "backup.tar"
    path.touch()
    return path


@pytest.fixture
def configure(backup, tmp_path, monkeypatch):
    monkeypatch.setattr("flexiapi.flexisip.replica_file.BUSY_SECONDS", 0.5)
    return {
        "notices": {"to": ["operator@example.net"], "backup_file": str(backup)},
        "flexisip": {"auth_replica": str(tmp_path / "sip" / "auth.sqlite")},
    }


@pytest.fixture
def told(server):
    """Look once, and return what operators were told by it, up to now."""
    notices = OperatorNotices(server.parts)

    def look():
        server.run(notices.look())
        return [message["text"] for message in server.messages if message["to"] == "operator@example.net"]

    return look


def test_operators_of_a_well_server_get_no_mail(told):
    assert told() == []


def test_an_old_backup_is_told_once(told, backup):
    os.utime(backup, (time.time(), time.time() - 30 * 3600))
    first = told()
    assert len(first) == 1
    assert f"{backup}, is 30 hours old; 26 are allowed" in first[0]
    assert told() == first


def test_a_backup_that_is_not_there_is_told(told, backup):
    backup.unlink()
    assert "No such file or directory" in told()[0]


@pytest.mark.usefixtures("no_waits")
def test_a_resting_backend_is_told_with_what_it_cannot_reach(server, told, monkeypatch):
    outlet = next(outlet for outlet in server.parts.notifier.outlets if outlet.transport == "sms")

    async def fail(message):
        raise Retryable("down")

    monkeypatch.setattr(outlet.backend, "send", fail)
    monkeypatch.setattr(outlet.backend, "lane", lambda message: "sms.example.org")
    monkeypatch.setattr(outlet, "_has_lanes", True)
    while not outlet.resting:
        with pytest.raises(DeliveryFailed):
            server.run(outlet.send(SmsMessage("+33612345678", "text")))
    assert "The backend [sms.outbox] (sms.example.org) rests" in told()[0]


def test_a_replica_that_cannot_be_written_is_told(server, told):
    server.parts.replication.replica.is_failing = True
    assert "auth.sqlite, cannot be written" in told()[0]


def test_a_reader_of_events_that_stands_still_is_told_at_the_second_look(server, told, monkeypatch):
    last = server.run(server.store.journal.events.numbers.last())
    behind = {"sign-in replica": last - 3}
    monkeypatch.setattr("flexiapi.server.operator_notices.read_up_to", behind)
    assert told() == []
    assert "The sign-in replica of this host does not follow the changes of accounts: it is 3 events" in told()[0]


def test_a_reader_of_events_that_comes_nearer_is_not_told(server, told, monkeypatch):
    last = server.run(server.store.journal.events.numbers.last())
    behind = {"sign-in replica": last - 3}
    monkeypatch.setattr("flexiapi.server.operator_notices.read_up_to", behind)
    assert told() == []
    behind["sign-in replica"] = last - 1
    assert told() == []
