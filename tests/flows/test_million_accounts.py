"""The steps of the document layout over a million accounts, while requests are served: in bounded memory."""

import re
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from tests.kit.old_release import DOMAIN, KEY

pytestmark = pytest.mark.slow

ACCOUNTS = 1_000_000
AT_ONCE = 10_000
MOST_GROWTH_KB = 32 * 1024


def account(number):
    made = datetime(2026, 1, 1, tzinfo=UTC)
    name = f"person.{number}"
    return {
        "_id": number,
        "username": name,
        "domain": DOMAIN,
        "identifiers": [f"sip:{name}@{DOMAIN}"],
        "activated": True,
        "created_at": made,
        "updated_at": made,
        "ip_address": "192.0.2.1",
        "user_agent": "LinphoneAndroid/6.0.0 (Pixel 8) LinphoneSDK/5.4.0",
        "passwords": [{"algorithm": "SHA-256", "sealed": bytes(100)}],
        "epoch": 0,
    }


def fill(database):
    """Write the accounts above those that are there."""
    for first in range(1000, 1000 + ACCOUNTS, AT_ONCE):
        documents = [account(number) for number in range(first, first + AT_ONCE)]
        database["accounts"].insert_many(documents, ordered=False)


def resident_kilobytes(server, name):
    status = Path(f"/proc/{server.child.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1])


def milliseconds(http):
    """The time that a signed-in request takes."""
    began = time.perf_counter()
    http.get("/api/accounts/me").raise_for_status()
    return (time.perf_counter() - began) * 1000


def shown(times):
    return f"median {statistics.median(times):.1f} ms, 99 % {statistics.quantiles(times, n=100)[98]:.1f} ms"


@pytest.mark.timeout(3600)
def test_a_million_accounts_are_changed_while_requests_are_served(serve, own_mongod):
    server = serve(MONGODB_URI=own_mongod.uri, APP_KEY=KEY, APP_SIP_DOMAIN=DOMAIN, LOG_ACCESS="false")
    key = server.admin_key()
    with MongoClient(own_mongod.uri) as client, httpx.Client(base_url=server.url, timeout=60) as http:
        http.headers["x-api-key"] = key
        database = client["flexiapi"]
        fill(database)
        alone = [milliseconds(http) for _ in range(500)]
        database["accounts"].update_many({"_id": {"$lt": 1000}}, {"$unset": {"revision": ""}})
        layout = {"version": 0, "readable_from": 0, "has_unlisted_servers": False}
        database["meta"].replace_one({"_id": "layout"}, layout)
        # A server that has seen the newest layout looks for steps at its start only.
        assert server.stop() == 0
        server.start()
        began, during = time.perf_counter(), []
        while database["meta"].find_one({"_id": "layout"})["version"] == 0:
            time.sleep(0.05)
        before = resident_kilobytes(server, "VmRSS")
        while database["meta"].find_one({"_id": "layout"})["version"] == 1:
            during += [milliseconds(http) for _ in range(20)]
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        growth = resident_kilobytes(server, "VmHWM") - before
        sys.stdout.write(
            f"\n{ACCOUNTS} accounts in {seconds:.0f} s; the process grew by {growth} kB to "
            f"{resident_kilobytes(server, 'VmHWM')} kB; requests alone: {shown(alone)}; meanwhile: {shown(during)}\n"
        )
        assert growth < MOST_GROWTH_KB
        assert database["accounts"].count_documents({"revision": {"$exists": False}}) == 0
    assert server.stop() == 0
