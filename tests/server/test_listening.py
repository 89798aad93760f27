"""The listening socket: unix sockets with their permissions, those that were left behind, and those in use."""

import contextlib
import os
import socket
import stat

import pytest

from flexiapi.errors import ConfigurationError
from flexiapi.server.listening import opened, port_of, refuse_connections
from flexiapi.settings import Settings


@pytest.fixture
def path(folder):
    return folder / "http.sock"


def settings(path, **server):
    return Settings.model_validate({"server": {"address": f"unix:{path}", **server}})


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return client


@pytest.mark.parametrize(("given", "mode"), [(None, 0o660), ("0600", 0o600), ("666", 0o666)])
def test_a_unix_socket_has_the_configured_mode_whatever_the_mask(path, given, mode):
    server = {"unix_mode": given} if given else {}
    former = os.umask(0o077)
    try:
        with opened(settings(path, **server)) as listener:
            assert stat.S_IMODE(path.stat().st_mode) == mode
            connect(path).close()
            assert listener.get_inheritable()
            assert port_of(listener) == 0
    finally:
        os.umask(former)


def test_a_unix_socket_is_removed_at_the_end(path):
    with opened(settings(path)):
        assert path.exists()
    assert not path.exists()


def test_the_socket_of_a_server_that_was_killed_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    with opened(settings(path)):
        connect(path).close()


def test_a_server_that_answers_is_not_pushed_aside(path):
    with opened(settings(path)):
        with pytest.raises(ConfigurationError, match="another server answers there"), opened(settings(path)):
            pass
        connect(path).close()


def test_a_server_whose_queue_is_full_is_not_pushed_aside(path):
    with socket.socket(socket.AF_UNIX) as busy, contextlib.ExitStack() as stack:
        busy.bind(str(path))
        busy.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(str(path))
        with pytest.raises(ConfigurationError, match="another server answers there"), opened(settings(path)):
            pass


def test_a_server_that_stops_gives_the_place_to_the_next_and_leaves_it_alone(path):
    with opened(settings(path)) as former:
        refuse_connections(former)
        following = opened(settings(path))
        following.__enter__()
    assert path.exists()
    connect(path).close()
    following.__exit__(None, None, None)
    assert not path.exists()


def test_a_file_that_is_not_a_socket_is_left_alone(path):
    path.write_text("precious")
    with pytest.raises(ConfigurationError, match="a file that is not a socket"), opened(settings(path)):
        pass
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there_is_told(folder):
    with pytest.raises(ConfigurationError, match=r"No such file or directory\. Its folder must exist"):
        opened(settings(folder / "not" / "http.sock")).__enter__()


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as used:
        taken = Settings.model_validate({"server": {"port": used.getsockname()[1]}})
        with pytest.raises(ConfigurationError, match="set SERVER_PORT to another port"), opened(taken):
            pass
