import socket
import threading

import pytest

from tests.kit.server import serving


@pytest.fixture
def daemon(tmp_path_factory):
    """A socket that takes one command per connection as a linphone-daemon does; `answers` has what it says next."""
    path = tmp_path_factory.mktemp("s") / "d"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    commands, answers = [], []

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                commands.append(connection.recv(65536).decode())
                connection.sendall(answers.pop(0).encode())

    thread = threading.Thread(target=serve)
    thread.start()
    yield path, commands, answers
    listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    listening.close()


@pytest.fixture
def configure(daemon):
    return {"app": {"linphone_daemon_unix_path": str(daemon[0])}}


def post(server, admin, **fields):
    return server.http.post("/api/messages", json=fields, headers=admin.headers)


def test_a_message_goes_to_the_daemon(server, admin, daemon):
    _, commands, answers = daemon
    answers += ["Status: Ok\n\nId: one~1\n\n", "Status: Ok\n\nId: two\n\n", "Status: Error\nReason: Bad sip uri.\n"]
    assert post(server, admin, to="bob@sip.example.org", body="Héllo").json() == {"id": "one~1"}
    assert post(server, admin, to="sip:bob@sip.example.org", body="Hello").json() == {"id": "two"}
    refused = post(server, admin, to="sip:bob@sip.example.org", body="Hello")
    assert (refused.status_code, refused.json()["errors"]) == (422, {"to": ["Bad sip uri."]})
    assert commands[0] == "message sip:bob@sip.example.org Héllo\n"


def test_what_is_wrong_with_a_message_is_told_at_once(server, admin, alice, daemon):
    answer = post(server, admin, to="+badid", body="x" * 16385)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["to", "body"])
    assert list(post(server, admin).json()["errors"]) == ["to", "body"]
    for to in ("bob @sip.example.org", "sip:bob@sip.example.org\nquit", "sip:bob@sip.example.org;lr"):
        assert list(post(server, admin, to=to, body="Hello").json()["errors"]) == ["to"]
    assert list(post(server, admin, to="bob@sip.example.org", body="two\nlines").json()["errors"]) == ["body"]
    assert list(post(server, admin, to="bob@sip.example.org", body={"$ne": 1}).json()["errors"]) == ["body"]
    assert post(server, alice, to="bob@sip.example.org", body="Hello").status_code == 403
    assert daemon[1] == []


def test_an_absent_daemon_is_told_as_503(tmp_path, mongod_uri):
    with serving({"app": {"linphone_daemon_unix_path": str(tmp_path / "none")}}, tmp_path, mongod_uri) as server:
        admin = server.person("the.admin", admin_since=server.clock.second())
        answer = post(server, admin, to="bob@sip.example.org", body="Hello")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("configure", [{}])
@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"])
def test_without_a_daemon_there_is_no_such_endpoint(server, http, admin, method):
    unknown, answer = (http.request(method, path, headers=admin.headers) for path in ("/api/nothing", "/api/messages"))
    assert (answer.status_code, answer.content) == (404, unknown.content)
    assert "allow" not in answer.headers


def test_with_a_daemon_other_methods_are_not_allowed(http):
    assert http.get("/api/messages").status_code == 405
    assert http.options("/api/messages").headers["allow"] == "POST, OPTIONS"
