"""The listening socket: opening it, and closing it without resetting connections that wait to be accepted."""

import contextlib
import ctypes
import select
import socket
import struct

from flexiapi.errors import ConfigurationError
from flexiapi.settings import Settings

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
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.address, server.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {server.address} port {server.port}: {error.strerror}. "
            "Stop what listens there, or set SERVER_PORT to another port."
        ) from error
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


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
