"""The server is killed under load: nothing acknowledged is lost, no token works twice."""

import threading
import time

import httpx
import pytest

pytestmark = pytest.mark.faults


class Load:
    """Signs people up, one token each, and notes what was acknowledged; keeps the last tokens until `killed`."""

    def __init__(self, url, tokens, *, kept):
        self.url = url
        self.tokens = tokens
        self.kept = kept
        self.killed = threading.Event()
        self.created = {}
        self.tried = {}
        self._next = iter(enumerate(tokens))
        self._lock = threading.Lock()

    def run(self, threads=8):
        self._threads = [threading.Thread(target=self._work) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join(60)

    def _work(self):
        with httpx.Client(base_url=self.url, timeout=60) as http:
            while True:
                with self._lock:
                    number, token = next(self._next, (None, None))
                if token is None:
                    return
                if number >= len(self.tokens) - self.kept:
                    self.killed.wait(60)
                name = f"person.{number:05d}"
                self.tried[token] = name
                try:
                    answer = http.post("/api/accounts/with-account-creation-token", json=sign_up(name, token))
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    self.created[name] = token


def sign_up(name, token):
    return {"username": name, "password": "correct-horse", "algorithm": "SHA-256", "account_creation_token": token}


def make_tokens(http, count):
    return [http.post("/api/account_creation_tokens").json()["token"] for _ in range(count)]


def test_nothing_acknowledged_is_lost_and_no_token_works_twice(serve):
    server = serve()
    with httpx.Client(base_url=server.url, headers={"x-api-key": server.admin_key()}, timeout=60) as http:
        tokens = make_tokens(http, 150)
    load = Load(server.url, tokens, kept=50)
    load.run()
    while len(load.created) < 30:
        assert any(thread.is_alive() for thread in load._threads), "the load ended too early"
        time.sleep(0.001)
    server.kill()
    load.killed.set()
    load.join()
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        for name in load.created:
            assert http.get(f"/api/accounts/{name}@sip.example.org/info").status_code == 200
        for number, (token, name) in enumerate(load.tried.items()):
            existed = http.get(f"/api/accounts/{name}@sip.example.org/info").status_code == 200
            again = http.post("/api/accounts/with-account-creation-token", json=sign_up(f"second.{number:05d}", token))
            assert not (existed and again.status_code == 200), f"the token of {name} made two accounts"


def test_a_server_that_is_asked_to_stop_answers_what_it_has_begun(serve):
    # All that it has begun may take long on a slow machine.
    server = serve(SERVER_STOP_SECONDS="90")
    with httpx.Client(base_url=server.url, headers={"x-api-key": server.admin_key()}, timeout=60) as http:
        tokens = make_tokens(http, 60)
    outcomes, first = {}, threading.Event()

    def one(number, token):
        name = f"person.{number:05d}"
        with httpx.Client(base_url=server.url, timeout=60) as http:
            try:
                answer = http.post("/api/accounts/with-account-creation-token", json=sign_up(name, token))
            except httpx.TransportError:  # it came too late: the client may not have received it
                outcomes[name] = "unheard"
            else:
                outcomes[name] = answer.status_code
                first.set()

    threads = [threading.Thread(target=one, args=item) for item in enumerate(tokens)]
    for thread in threads:
        thread.start()
    assert first.wait(60)
    assert server.stop() == 0
    for thread in threads:
        thread.join(60)
    assert set(outcomes.values()) <= {200, "unheard"}
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        for name, outcome in outcomes.items():
            expected = 200 if outcome == 200 else 404
            assert http.get(f"/api/accounts/{name}@sip.example.org/info").status_code == expected, name
