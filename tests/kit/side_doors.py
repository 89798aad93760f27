"""Further sockets of a server in a thread: unix sockets, TLS, and those that demand a PROXY header."""

import contextlib
import http.client
import socket
import ssl

from flexiapi.server.entrance import Entrance
from flexiapi.server.http_server import HttpServer


class SideDoor:
    """A listening socket of a running server, with an entrance of its own."""

    def __init__(self, server, path=None, *, trusting: ssl.SSLContext | None = None, **entrance):
        self.server = server
        self.trusting = trusting
        if path is None:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        else:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(128)
        self.address = self.listener.getsockname()
        self._http = server.run(self._opened(Entrance(**entrance)))

    async def _opened(self, entrance):
        made = HttpServer(self.server.application, entrance=entrance)
        made.add_socket(self.listener)
        return made

    def close(self):
        async def no_requests():
            pass

        self.server.run(self._http.finish(no_requests, 0))

    def connected(self, first=b""):
        client = socket.socket(self.listener.family)
        client.settimeout(60)
        client.connect(self.address)
        client.sendall(first)
        if self.trusting is not None:
            client = self.trusting.wrap_socket(client, server_hostname="localhost")
        return client

    def ask(self, path, first=b"", method="GET", body=None, **headers):
        """The answer to a request on a connection that begins with these bytes, with its body as `text`."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = self.connected(first)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
            return answer
