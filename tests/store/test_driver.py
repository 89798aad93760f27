"""The driver of MongoDB: one module knows which it is, and the suite runs with either."""

import ast
from pathlib import Path

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

import flexiapi
from flexiapi.store import driver

ONLY = Path(driver.__file__)
# Motor answers these at once, PyMongo's client to those who wait, or the other way round.
DIFFERENT = {"aggregate", "aggregate_raw_batches", "list_indexes", "start_session", "watch", "wait_closed"}
CLIENTS = {driver.Driver.MOTOR: AsyncIOMotorClient, driver.Driver.PYMONGO: AsyncMongoClient}


def of_one_driver(path):
    """Parts of a module that are of one driver alone: its names, and operations in which the drivers differ."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith(("motor", "pymongo.asynchronous")))
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{name.name}" for name in node.names)
            yield from (name for name in names if name.startswith(("motor", "pymongo.asynchronous", "pymongo.Async")))
        elif isinstance(node, ast.Attribute) and node.attr in DIFFERENT and path.parent == ONLY.parent:
            yield from (name for name in [ast.unparse(node)] if name != f"driver.{node.attr}")


def test_one_module_knows_the_driver():
    found = {path: list(of_one_driver(path)) for path in Path(flexiapi.__file__).parent.rglob("*.py")}
    assert [path for path, names in found.items() if names] == [ONLY]
    assert {"motor.motor_asyncio.AsyncIOMotorClient", "pymongo.AsyncMongoClient"} < set(found[ONLY])
    assert {"collection.aggregate", "collection.watch"} < set(found[ONLY])


def test_the_suite_runs_with_the_driver_that_it_is_asked_for(server, request):
    wanted = driver.Driver(request.config.getoption("--driver"))
    assert driver.chosen() is wanted
    assert type(server.store._database.client) is CLIENTS[wanted]


def test_the_driver_of_operators_is_motor(monkeypatch):
    monkeypatch.delenv("FLEXIAPI_DRIVER")
    assert driver.chosen() is driver.Driver.MOTOR
