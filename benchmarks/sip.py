"""Benchmark of the sign-in replica of Flexisip, on a real MongoDB: `python -m benchmarks.sip`."""

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks import results
from benchmarks.configuration import KEY, settings
from benchmarks.house import Options, house
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.store import Store

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


def _opened(uri: str, path: Path) -> tuple[Store, SignInReplica]:
    store = Store(settings("http://127.0.0.1"), ApplicationKey(KEY), uri)
    return store, SignInReplica(path, store.accounts)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _measured(uri: str, folder: Path) -> Iterator[tuple[str, Figures]]:
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
    found = {}
    with house(Options(seconds=1, rounds=1, connections=1)) as built:
        built.fill(options.accounts)
        for what, figures in _measured(built.uri, built.folder):
            found[what] = figures
            print(f"{what:26} {figures}", flush=True)
    results.write(results.SIP, found)


if __name__ == "__main__":
    main()
