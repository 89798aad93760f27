"""The files of the package that a request enters once the server is warm, after those that read HTTP for all alike."""

import asyncio
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Self

import flexiapi
from tests.kit.digest import ME, answer, asked, nonce_of
from tests.kit.server import Server

PACKAGE = str(Path(flexiapi.__file__).parent)
REPEATED = 4
# What Tornado's server did before: a request is followed from where the application is given it.
HTTP = ("server/http1/", "server/http_server.py")
# The work of the server that goes on beside requests.
BESIDE = ("Moving.", "Numbering.", "EventFollower.", "EventLog.", "KeyUses.", "VoicemailWork.")


class Profile:
    """The files that the server's thread enters in the block."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.files: set[str] = set()

    def __enter__(self) -> Self:
        self._server.run(self._set(self._note))
        self.files.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.run(self._set(None))

    async def _set(self, function: Callable | None) -> None:
        sys.setprofile(function)

    def _note(self, frame, event, _argument) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE) and not _is_beside():
            file = frame.f_code.co_filename.removeprefix(f"{PACKAGE}/")
            if not file.startswith(HTTP):
                self.files.add(file)


def _is_beside() -> bool:
    """Return whether the present task is one of the server's own."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.get_coro().__qualname__.startswith(BESIDE)


def files_entered(server: Server, request: Callable[[], object]) -> set[str]:
    """The files that each of several equal requests enters, the first one apart.

    What a timer of the server enters meanwhile is not in all of them.
    """
    request()
    found = []
    for _ in range(REPEATED):
        with Profile(server) as profile:
            request()
        found.append(profile.files)
    return set.intersection(*found)


def me_by_key(server: Server) -> Callable[[], object]:
    """`GET /api/accounts/me` with an API key."""
    headers = server.person().headers
    return lambda: _right(server.http.get(ME, headers=headers))


def me_by_digest(server: Server) -> Callable[[], object]:
    """`GET /api/accounts/me` with the next use of a nonce."""
    person = server.person()
    nonce, uses = nonce_of(asked(server.http, person)), count(1)
    return lambda: _right(server.http.get(ME, headers=answer(person, nonce, next(uses))))


def creation(server: Server) -> Callable[[], object]:
    """`POST /api/accounts/with-account-creation-token`, with a new token and name each time."""
    bodies = (
        {
            "username": f"warm.{number}",
            "password": "correct-horse-battery",
            "algorithm": "SHA-256",
            "account_creation_token": token,
        }
        for number, token in enumerate([server.creation_token() for _ in range(REPEATED + 1)])
    )
    return lambda: _right(server.http.post("/api/accounts/with-account-creation-token", json=next(bodies)))


def recovery(server: Server) -> Callable[[], object]:
    """`POST /api/accounts/recover-by-phone`, with a new token each time."""
    phone = "+33612345678"
    server.person(phone=phone)
    tokens = iter([server.creation_token() for _ in range(REPEATED + 1)])

    def request() -> None:
        body = {"phone": phone, "account_creation_token": next(tokens)}
        _right(server.http.post("/api/accounts/recover-by-phone", json=body))

    return request


def _right(response) -> None:
    assert response.is_success, response.text
