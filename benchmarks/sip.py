"""Benchmark of the sign-in replica and the external authentication, on a real MongoDB: `python -m benchmarks.sip`."""

import argparse
import asyncio
import json
import multiprocessing
import resource
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlencode

from benchmarks import data
from benchmarks.load import process
from benchmarks.servers import ours
from flexiapi.crypto import digest
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.store import EmbeddedMongod, Store

_RESULTS = Path(__file__).parent / "results"
_REQUESTS = 2_000
Figures = dict[str, object]


def rebuild(uri: str, path: Path) -> Figures:
    """Measure a first rebuild, and one without differences; memory is the peak of the process."""

    async def run() -> Figures:
        store, replica = _opened(uri, path)
        await replica.start()
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            done = await replica.rebuild()
            seconds.append(round(time.perf_counter() - began, 1))
        await replica.close()
        await store.close()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return {"accounts": done.compared, "first_s": seconds[0], "again_s": seconds[1], "memory_mb": memory}

    return asyncio.run(run())


def changes(uri: str, path: Path, at_once: int) -> Figures:
    """Measure accounts that change and wait until the file has them, `at_once` concurrently."""

    async def run() -> Figures:
        store, replica = _opened(uri, path)
        await replica.start()
        numbers = iter(range(1, 1 + 200 * at_once if at_once < 20 else 4001))
        waits: list[float] = []

        async def one() -> None:
            for number in numbers:
                began = time.perf_counter()
                await replica.project(number)
                waits.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(at_once)))
        seconds = time.perf_counter() - began
        await replica.close()
        await store.close()
        return {"at_once": at_once, "per_s": round(len(waits) / seconds), "p50_ms": _ms(statistics.median(waits))}

    return asyncio.run(run())


def authentication(uri: str) -> Figures:
    """Measure one request in flight, as Flexisip sends them, next to the same over a bare Tornado handler."""
    with process("bare", uri) as bare, process("ours", uri) as server:
        base = _one_by_one(bare.port, lambda _: "/")
        answer = _one_by_one(server.port, lambda number: f"/sip/auth?{_question(number)}")
    return {"p50_ms": _ms(answer[0]), "p99_ms": _ms(answer[1]), "bare_p50_ms": _ms(base[0]), "goal_p50_ms": 1.5}


def _one_by_one(port: int, path: Callable[[int], str]) -> tuple[float, float]:
    requests = [f"GET {path(number)} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for number in range(_REQUESTS)]
    waits = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            began = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65536)
            waits.append(time.perf_counter() - began)
            if not (answer.startswith(b"HTTP/1.1 200") and b"Status: 4" not in answer):
                raise RuntimeError(f"answered {answer!r}")
    waits = sorted(waits[_REQUESTS // 10 :])
    return statistics.median(waits), waits[len(waits) * 99 // 100]


def _question(number: int) -> str:
    name, uri, nonce = data.username(1 + number % 1000), f"sip:{data.DOMAIN}", f"{time.time_ns()}"
    ha1 = digest.ha1("SHA-256", name, data.DOMAIN, data.PASSWORD)
    values = {"method": "REGISTER", "domain": data.DOMAIN, "username": name, "realm": data.DOMAIN, "nonce": nonce}
    values |= {"uri": uri, "algorithm": "SHA-256", "qop": "auth", "nc": "00000001", "cnonce": "c0ffee"}
    values["response"] = digest.response("SHA-256", ha1, nonce, "00000001", "c0ffee", "auth", "REGISTER", uri)
    return urlencode(values, quote_via=quote, safe="")


def _opened(uri: str, path: Path) -> tuple[Store, SignInReplica]:
    store = Store(ours("http://127.0.0.1"), ApplicationKey(data.KEY), uri)
    return store, SignInReplica(path, store.accounts)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _measured(uri: str, folder: Path) -> Iterator[tuple[str, Figures]]:
    yield "external authentication", authentication(uri)
    # Separate processes, so that memory is measured for each.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as apart:
        for at_once in (1, 8, 32, 128):
            path = folder / f"{at_once}.sqlite"
            yield f"changes, {at_once} at once", apart.submit(changes, uri, path, at_once).result()
        yield "rebuild", apart.submit(rebuild, uri, folder / "rebuild.sqlite").result()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sip", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flexiapi-bench-") as name:
        mongod = EmbeddedMongod(Path(name))
        mongod.start()
        try:
            with process("ours", mongod.uri):
                pass  # creates the indexes
            data.fill(mongod.uri, options.accounts)
            results = {}
            for what, figures in _measured(mongod.uri, Path(name)):
                results[what] = figures
                print(f"{what:26} {figures}", flush=True)
        finally:
            mongod.stop()
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "sip.json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
