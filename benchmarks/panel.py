"""The CPU of pages of the panel, beside the bare handler: what server and mongod spend on each."""

import contextlib
import re
from collections.abc import Iterator

import httpx

from benchmarks import costs, data
from benchmarks.house import House
from benchmarks.programs import BARE, Program, flexiapi, plain
from benchmarks.rounds import Row
from benchmarks.upkeep import row

_EACH = 100
_ADMIN = 1
PAGES = {
    "page: sign-in": "/login",
    "page: my account": "/dashboard",
    "page: accounts, as administrator": "/admin/accounts",
}


def measured(house: House, part: str) -> Iterator[Row]:
    """Measure the pages whose name contains `part`, in the session of an administrator where one is needed."""
    chosen = {name: path for name, path in PAGES.items() if part in name}
    if not chosen:
        return
    with contextlib.ExitStack() as stack:
        bare, ours = (stack.enter_context(one) for one in (plain(BARE, house.uri), flexiapi(house.uri, house.folder)))
        beside, stranger, administrator = (stack.enter_context(_client(server)) for server in (bare, ours, ours))
        _sign_in(administrator)
        for name, path in chosen.items():
            client = stranger if path == "/login" else administrator
            client.get(path).raise_for_status()
            rounds = [
                (_spent(house, ours, client, path), _spent(house, bare, beside, "/"))
                for _ in range(house.options.rounds)
            ]
            yield row(name, "CPU ms", [of_ours for of_ours, _ in rounds], [of_bare for _, of_bare in rounds])


def _client(server: Program) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers={"Accept": "text/html"}, timeout=60)


def _sign_in(client: httpx.Client) -> None:
    token = re.search(r'name="form_token" value="(\w+)"', client.get("/login").text)
    assert token is not None
    form = {"form_token": token[1], "username": data.username(_ADMIN), "password": data.PASSWORD}
    answer = client.post("/authenticate", data=form)
    if answer.status_code != 303:
        raise RuntimeError(f"the sign-in was answered {answer.status_code}")


def _spent(house: House, server: Program, client: httpx.Client, path: str) -> float:
    """Return the CPU of a request in milliseconds."""
    pids = [*server.all, house.pid]
    before = costs.cpu_seconds(pids)
    for _ in range(_EACH):
        if client.get(path).status_code != 200:
            raise RuntimeError(f"{path} was not answered")
    return (costs.cpu_seconds(pids) - before) / _EACH * 1000
