"""The command socket of a Flexisip, with a registrar in memory."""

import json
import socket
import threading


class Flexisip:
    """The socket as Flexisip has it: one read of 511 bytes, one answer, closed; with a registrar in memory."""

    def __init__(self, path, *, error="Error - ", last_is_404=False):
        self.error, self.last_is_404, self.commands = error, last_is_404, []
        self.records, self.cache, self.answer = {}, set(), None
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        self.thread = threading.Thread(target=self.serve)
        self.silent = []

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)
        for connection in [*self.silent, self.socket]:
            connection.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            command = connection.recv(511).decode()
            self.commands.append(command)
            if self.answer == "silence":
                self.silent.append(connection)
                continue
            answer = self.execute(*command.split(" ")) if self.answer is None else self.answer
            connection.sendall(answer.encode())
            connection.close()

    def execute(self, command, *words):
        return getattr(self, command.lower())(*words)

    def registrar_get(self, aor):
        if aor not in self.records:
            return f"{self.error}404 Not Found: The Registrar does not contain the requested AOR."
        return json.dumps({"contacts": self.records[aor]}, indent="\t")

    def registrar_delete(self, aor, unique_id):
        left = [each for each in self.records[aor] if each["unique-id"] != unique_id]
        self.records[aor] = left
        if not left:
            del self.records[aor]
            if self.last_is_404:
                return self.registrar_get(aor)
        return json.dumps({"contacts": left}, indent="\t")

    def auth_cache_delete(self, user, domain):
        if (user, domain) not in self.cache:
            return "Nothing to do - Cache entry does not exist"
        self.cache.remove((user, domain))
        return f"Done - Removed cached credential {user}@{domain}"

    def config_get(self, path):
        return f"{self.error}Not found: {path}"
