"""The lock of a data folder."""

import threading

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.store.folder_lock import FolderLock


@pytest.fixture
def pair(tmp_path):
    first, second = FolderLock(tmp_path / "lock"), FolderLock(tmp_path / "lock")
    yield first, second
    first.release()
    second.release()


def test_one_holds_it_until_it_is_released(pair):
    first, second = pair
    assert first.acquire(wait=0)
    assert not second.acquire(wait=0)
    first.release()
    assert second.acquire(wait=0)


def test_a_command_is_waited_for(pair):
    first, second = pair
    assert first.acquire(wait=0)
    release = threading.Timer(0.2, first.release)
    release.start()
    assert second.acquire(wait=60)
    release.join()


def test_a_server_is_not_waited_for(pair):
    first, second = pair
    assert first.acquire(wait=0)
    first.mark_as_server()
    acquired = []
    waiting = threading.Thread(target=lambda: acquired.append(second.acquire(wait=600)))
    waiting.start()
    waiting.join(60)
    assert acquired == [False]


def test_the_mark_of_an_earlier_server_can_be_removed(pair, tmp_path):
    first, second = pair
    assert first.acquire(wait=0)
    first.mark_as_server()
    first.release()
    assert second.acquire(wait=0)
    second.unmark()
    assert (tmp_path / "lock").read_bytes() == b""


def test_only_the_holder_marks_it(pair, tmp_path):
    first, second = pair
    assert first.acquire(wait=0)
    second.mark_as_server()
    second.unmark()
    second.release()
    assert (tmp_path / "lock").read_bytes() == b""
    assert not second.acquire(wait=0)


def test_a_file_that_cannot_be_made_is_an_error_of_the_configuration(tmp_path):
    with pytest.raises(ConfigurationError):
        FolderLock(tmp_path / "missing" / "lock").acquire(wait=0)
