"""The listening socket: opening it, and closing it without resetting connections that wait to be accepted."""

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from flexiapi.errors import ConfigurationError
from flexiapi.settings import ServerSettings, Settings

_BACKLOG = 1024
_SO_ATTACH_FILTER = 26
_SO_GET_FILTER = 26  # the same number, read in place of written
_MOST_FILTER_BYTES = 64
_FLAGS_OFFSET, _SYN, _SYN_OR_ACK = 13, 0x02, 0x12
# Classic BPF over a TCP header: drop a SYN without ACK, which opens a connection, and pass all else.
_NO_NEW_CONNECTIONS = (
    (0x30, 0, 0, _FLAGS_OFFSET),  # load the byte with the flags
    (0x54, 0, 0, _SYN_OR_ACK),  # and
    (0x15, 0, 1, _SYN),  # if it is SYN alone, go on, else skip one
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def listening_socket(settings: Settings) -> socket.socket:
    """Return the socket that all processes accept from. Raises `ConfigurationError` if the address is not available."""
    server = settings.server
    try:
        listener = _on_path(server.unix_path, server.unix_mode) if server.unix_path else _on_port(server)
    except OSError as error:
        raise ConfigurationError(f"Cannot listen on {_advice(server, error.strerror or str(error))}") from error
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def port_of(listener: socket.socket) -> int:
    """Return the port of a listening socket; 0 for a unix socket."""
    return 0 if listener.family == socket.AF_UNIX else int(listener.getsockname()[1])


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[socket.socket]:
    """Yield a listening socket, closed after the block, when the file of a unix socket is removed, too.

    Raises `ConfigurationError` if the address is not available.
    """
    listener, path = listening_socket(settings), settings.server.unix_path
    made = None if path is None else _identity(path)
    with contextlib.closing(listener):
        yield listener
    # Another server may have taken the place of one that was stopping.
    if path is not None and made is not None and _identity(path) == made:
        path.unlink(missing_ok=True)


def _on_port(server: ServerSettings) -> socket.socket:
    """Raises `OSError`."""
    listener = socket.socket(socket.AF_INET6 if ":" in server.address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((server.address, server.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _on_path(path: Path, mode: str) -> socket.socket:
    """Listen on a path; the socket of a server that has ended is replaced. Raises `OSError`."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Of two servers that start at once, one must not replace the socket on which the other does not listen yet.
        fcntl.flock(folder, fcntl.LOCK_EX)
        _remove_if_dead(path)
        listener.bind(str(path))
        # Before it listens, there are no connections that could begin with wider permissions.
        path.chmod(int(mode, 8))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def _remove_if_dead(path: Path) -> None:
    """Remove a socket on which no process listens. Raises `OSError` if there is something else, or a server answers."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file that is not a socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
            except BlockingIOError:  # its queue is full
                pass
        raise OSError(errno.EADDRINUSE, "another server answers there")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _advice(server: ServerSettings, reason: str) -> str:
    """Return where the server cannot listen, why, and what to do."""
    if server.unix_path is None:
        return (
            f"{server.address} port {server.port}: {reason}. "
            "Stop what listens there, or set SERVER_PORT to another port."
        )
    return (
        f"the unix socket {server.unix_path}: {reason}. Its folder must exist and belong to the user of the server; "
        "stop what answers there, or set server.address (SERVER_ADDRESS) to another path."
    )


def refuse_connections(listener: socket.socket) -> None:
    """Let the kernel queue no new connections, for all processes that share the socket; those queued can be accepted.

    A client whose SYN is dropped repeats it, and finds the next server or a closed port. Where the kernel refuses the
    filter, nothing changes, and connections that arrive in the moment of the close are reset.
    """
    if listener.family == socket.AF_UNIX:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RD)
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _NO_NEW_CONNECTIONS))
    described = struct.pack("@HP", len(_NO_NEW_CONNECTIONS), ctypes.addressof(program))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def refuses_connections(listener: socket.socket) -> bool:
    """Return whether a process that shares the socket has made it refuse connections."""
    if listener.family == socket.AF_UNIX:
        return _is_shut_down(listener)
    try:
        return bool(listener.getsockopt(socket.SOL_SOCKET, _SO_GET_FILTER, _MOST_FILTER_BYTES))
    except OSError:
        return False


def _is_shut_down(listener: socket.socket) -> bool:
    watched = select.poll()
    watched.register(listener, select.POLLRDHUP)
    return bool(watched.poll(0))
