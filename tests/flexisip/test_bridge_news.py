"""News for Flexisip's bridge, through a real Redis."""

import asyncio
import json

import pytest

from flexiapi.flexisip import bridge_news
from flexiapi.flexisip.bridge_news import CHANNEL, BridgeNews
from flexiapi.flexisip.credentials import BridgeLine
from flexiapi.flexisip.redis import RedisRegistrar
from flexiapi.settings import RedisSettings
from tests.kit.ports import free_port


def line(number, username="alice4711"):
    return BridgeLine(str(number), username, "sip.example.com", "0" * 32, "TLS")


def news(number, username="alice4711"):
    return {"username": username, "domain": "sip.example.com", "identifier": str(number)}


@pytest.fixture
def heard(redis_server):
    """Subscribe as the bridge does, and return what it hears."""
    with redis_server.client() as client, client.pubsub() as subscription:
        subscription.subscribe(CHANNEL)
        assert subscription.get_message(timeout=5)["type"] == "subscribe"

        def messages(count):
            return [json.loads(subscription.get_message(timeout=5)["data"]) for _ in range(count)]

        yield messages


def of(port, password):
    return RedisRegistrar(RedisSettings(host="127.0.0.1", port=port, password=password, timeout_seconds=1))


def test_lines_are_told_in_their_order(redis_server, heard):
    async def tell():
        redis = of(redis_server.port, redis_server.password)
        told = BridgeNews(redis.publish)
        await told.tell([line(1), line(2, "bob")])
        await told.tell([line(3)])
        await told.close()
        await redis.close()

    asyncio.run(tell())
    assert heard(3) == [news(1), news(2, "bob"), news(3)]


def test_what_redis_does_not_take_is_told_once_it_is_back_and_nothing_waits_for_it(redis_server, heard, monkeypatch):
    monkeypatch.setattr(bridge_news, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(bridge_news, "LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(bridge_news, "WAIT_SECONDS", 0.05)

    async def tell():
        away, back = of(free_port(), None), of(redis_server.port, redis_server.password)
        is_back = asyncio.Event()

        async def publish(channel, text):
            await (back if is_back.is_set() else away).publish(channel, text)

        told = BridgeNews(publish)
        await told.tell([line(1)])
        await told.tell([line(2, "bob"), line(1)])
        is_back.set()
        await asyncio.wait_for(told._work, 10)
        await told.tell([line(4)])
        await told.close()
        await asyncio.gather(away.close(), back.close())

    asyncio.run(tell())
    assert heard(3) == [news(2, "bob"), news(1), news(4)]


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(bridge_news, "MOST_PENDING", 3)
    monkeypatch.setattr(bridge_news, "WAIT_SECONDS", 0)

    async def tell():
        never = asyncio.Event()
        told = BridgeNews(lambda channel, text: never.wait())
        await told.tell([line(number) for number in range(9)])
        waiting = [identifier for _, _, identifier in told._pending]
        await told.close()
        return waiting

    assert asyncio.run(tell()) == ["6", "7", "8"]
