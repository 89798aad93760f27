import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from redis import Redis as Client

from flexiapi.errors import ConfigurationError, RegistrarUnavailable
from flexiapi.flexisip.redis import RedisRegistrar
from flexiapi.settings import RedisSettings
from tests.kit.ports import free_port

UUID = "urn:uuid:0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
OTHER = "urn:uuid:ffffffff-4e5f-6071-8293-a4b5c6d7e8f9"
NOW = int(time.time())


def encoded(
    instance=None, *, updated=NOW, expires=3600, alias="no", agent="LinphoneAndroid/5.2.5%20(Galaxy%20S21)", name=""
):
    value = (
        f"{name}<sip:alice@192.0.2.10:46211;transport=tls;fs-conn-id=5e8f2a;callid=0PqT~VdWxy;expires={expires};cseq=21;"
        f"updatedAt={updated};alias={alias};usedAsRoute=no?path=%3Csip%3A192.0.2.1%3Blr%3E&accept=&user-agent={agent}>"
    )
    return value if instance is None else f'{value};+sip.instance="<{instance}>"'


@pytest.fixture
def seeded(redis_server):
    """Alice has two phones, a third that is gone, an alias and one without names; a look-alike has the first again."""
    with redis_server.client() as client:
        client.hset(
            "fs:alice@sip.example.org",
            mapping={
                f'"<{UUID}>"': encoded(UUID, name='"Alice \\"<A>\\" Doe" '),
                f'"<{OTHER}>"': encoded(OTHER, updated=NOW - 10, agent=""),
                '"<urn:uuid:gone>"': encoded("urn:uuid:gone", updated=NOW - 7200),
                "fs-cli-gen-1": encoded(alias="yes"),
                "fs-gen-Zm9v": encoded(updated=NOW - 20, agent="%C3%89cran"),
            },
        )
        client.hset("fs:alice@sip.example.com", f'"<{UUID}>"', encoded(UUID))
    return redis_server


def section(server, **more):
    return RedisSettings(
        **{"host": "127.0.0.1", "port": server.port, "password": server.password, "timeout_seconds": 30} | more
    )


@asynccontextmanager
async def registrar(section):
    made = RedisRegistrar(section)
    try:
        yield made
    finally:
        await made.close()


async def uuids(section, address="alice@sip.example.org"):
    async with registrar(section) as made:
        await made.check()
        return [device.uuid for device in await made.devices(address)]


def test_lists_live_devices_the_last_updated_first(seeded):
    async def scenario():
        async with registrar(section(seeded)) as made:
            return await made.devices("alice@sip.example.org"), await made.devices("nobody@sip.example.org")

    devices, none = asyncio.run(scenario())
    assert [(device.uuid, device.user_agent) for device in devices] == [
        (UUID, "LinphoneAndroid/5.2.5 (Galaxy S21)"),
        (OTHER, ""),
        ("fs-gen-Zm9v", "Écran"),
    ]
    assert devices[0].updated_at == datetime.fromtimestamp(NOW, UTC)
    assert none == []


def test_two_bindings_of_one_device_are_one_device_and_leave_together(redis_server):
    key = "fs:alice@sip.example.org"
    with redis_server.client() as client:
        client.hset(key, mapping={"token-1": encoded(UUID, updated=NOW - 5), "token-2": encoded(UUID, agent="New")})

        async def scenario():
            async with registrar(section(redis_server)) as made:
                devices = await made.devices("alice@sip.example.org")
                return devices, await made.remove("alice@sip.example.org", UUID)

        devices, removed = asyncio.run(scenario())
        assert [(device.uuid, device.user_agent) for device in devices] == [(UUID, "New")]
        assert removed
        assert not client.exists(key)


@pytest.mark.parametrize(("uuid", "name"), [(UUID, f'"<{UUID}>"'), ("fs-gen-Zm9v", "fs-gen-Zm9v")])
def test_removing_deletes_the_binding_and_publishes_on_the_address(seeded, uuid, name):
    with seeded.client() as client, client.pubsub() as subscriber:
        subscriber.subscribe("alice@sip.example.org")
        assert subscriber.get_message(timeout=30)["type"] == "subscribe"

        async def scenario():
            async with registrar(section(seeded)) as made:
                return await made.remove("alice@sip.example.org", uuid)

        assert asyncio.run(scenario())
        assert name not in client.hkeys("fs:alice@sip.example.org")
        assert client.hlen("fs:alice@sip.example.org") == 4
        assert client.hlen("fs:alice@sip.example.com") == 1
        message = subscriber.get_message(timeout=30)
        assert (message["type"], message["channel"], message["data"]) == ("message", "alice@sip.example.org", "")


def test_removing_what_is_not_among_the_bindings_changes_and_publishes_nothing(seeded):
    with seeded.client() as client, client.pubsub() as subscriber:
        subscriber.psubscribe("*")
        assert subscriber.get_message(timeout=30)["type"] == "psubscribe"

        async def scenario():
            async with registrar(section(seeded)) as made:
                unknown = ("urn:uuid:unknown", f'"<{UUID}>"', "fs-cli-gen-1", "*", "")
                return [await made.remove("alice@sip.example.org", uuid) for uuid in unknown]

        assert asyncio.run(scenario()) == [False] * 5
        assert client.hlen("fs:alice@sip.example.org") == 5
        client.publish("end", "")
        assert subscriber.get_message(timeout=30)["channel"] == "end"


def test_reaches_redis_over_tls_with_the_configured_authority(seeded):
    tls = {"port": seeded.tls_port, "tls": True}
    assert len(asyncio.run(uuids(section(seeded, **tls, tls_ca_file=seeded.authority.ca_file)))) == 3
    with pytest.raises(RegistrarUnavailable):
        asyncio.run(uuids(section(seeded, **tls)))


def test_reaches_redis_by_url(seeded):
    address = f":{seeded.password}@127.0.0.1"
    assert len(asyncio.run(uuids(RedisSettings(url=f"redis://{address}:{seeded.port}/0")))) == 3
    tls = RedisSettings(url=f"rediss://{address}:{seeded.tls_port}/0", tls_ca_file=seeded.authority.ca_file)
    assert len(asyncio.run(uuids(tls))) == 3
    assert len(asyncio.run(uuids(RedisSettings(url=f"unix://:{seeded.password}@{seeded.unix_socket}?db=0")))) == 3


def test_reads_the_configured_database_and_prefix_as_the_configured_user(redis_server):
    with redis_server.client(db=3) as client:
        client.hset("other:alice@sip.example.org", "x", encoded(UUID))
        client.hset("fs:alice@sip.example.org", "x", encoded(OTHER))
    reader = {"username": "reader", "password": "s3cond", "db": 3}
    assert asyncio.run(uuids(section(redis_server, **reader))) == [OTHER]
    with pytest.raises(RegistrarUnavailable):
        asyncio.run(uuids(section(redis_server, **reader, prefix="other:")))
    assert asyncio.run(uuids(section(redis_server, db=3, prefix="other:"))) == [UUID]


def test_asks_the_sentinels_for_the_master(seeded, sentinel_port):
    sentinel = {
        "client": "sentinel",
        "sentinel_host": (f"127.0.0.1:{free_port()}", "127.0.0.1"),
        "sentinel_port": sentinel_port,
        "sentinel_service": "flexisip",
        "sentinel_password": "s3ntinel",
        "password": seeded.password,
        "timeout_seconds": 30,
    }
    assert len(asyncio.run(uuids(RedisSettings(**sentinel)))) == 3
    for wrong in ({"sentinel_service": "other"}, {"sentinel_password": "no"}, {"password": "no"}):
        with pytest.raises(RegistrarUnavailable):
            asyncio.run(uuids(RedisSettings(**sentinel | wrong)))


def test_a_silent_sentinel_leaves_time_for_the_next(seeded, sentinel_port):
    async def scenario():
        async def say_nothing(reader, writer):
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        async with silent:
            hosts = (f"127.0.0.1:{silent.sockets[0].getsockname()[1]}", f"127.0.0.1:{sentinel_port}")
            of_both = RedisSettings(
                client="phpredis-sentinel",
                sentinel_host=hosts,
                sentinel_service="flexisip",
                sentinel_password="s3ntinel",
                password=seeded.password,
                timeout_seconds=20,
            )
            return await uuids(of_both)

    assert len(asyncio.run(scenario())) == 3


def test_follows_the_master_when_the_sentinels_choose_another(replicated_redis):
    registrar_section = RedisSettings(
        client="sentinel",
        sentinel_host="127.0.0.1",
        sentinel_port=replicated_redis.sentinel_port,
        sentinel_service="flexisip",
        timeout_seconds=30,
    )

    async def scenario():
        async with registrar(registrar_section) as made:
            await made.check()
            await asyncio.to_thread(replicated_redis.fail_over)
            with Client(port=replicated_redis.master()) as client:
                client.hset("fs:alice@sip.example.org", "x", encoded(UUID))
            return await made.remove("alice@sip.example.org", UUID), await made.devices("alice@sip.example.org")

    assert asyncio.run(scenario()) == (True, [])


def test_a_wrong_password_makes_the_registrar_unavailable_and_is_not_told(seeded):
    with pytest.raises(RegistrarUnavailable) as failure:
        asyncio.run(uuids(section(seeded, password="wr0ng-secret")))
    assert "wr0ng-secret" not in repr(failure.value) + repr(failure.value.__cause__)


def test_an_absent_server_makes_the_registrar_unavailable():
    async def scenario():
        async with registrar(RedisSettings(host="127.0.0.1", port=free_port())) as made:
            for attempt in (made.check(), made.devices("a@b"), made.remove("a@b", "x")):
                with pytest.raises(RegistrarUnavailable):
                    await attempt

    asyncio.run(scenario())


def test_a_silent_server_makes_the_registrar_unavailable_in_time():
    async def scenario():
        async def say_nothing(reader, writer):
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        async with silent:
            port = silent.sockets[0].getsockname()[1]
            async with (
                asyncio.timeout(60),
                registrar(RedisSettings(host="127.0.0.1", port=port, timeout_seconds=0.2)) as made,
            ):
                with pytest.raises(RegistrarUnavailable):
                    await made.devices("alice@sip.example.org")

    asyncio.run(scenario())


def test_a_key_of_another_kind_makes_the_registrar_unavailable(redis_server):
    with redis_server.client() as client:
        client.set("fs:alice@sip.example.org", "odd")
    with pytest.raises(RegistrarUnavailable):
        asyncio.run(uuids(section(redis_server)))


def test_a_connection_that_the_server_ended_is_made_anew(seeded):
    async def scenario():
        async with registrar(section(seeded)) as made:
            await made.check()
            with seeded.client() as client:
                client.client_kill_filter(_type="normal", skipme=True)
            return len(await made.devices("alice@sip.example.org"))

    assert asyncio.run(scenario()) == 3


def test_settings_that_cannot_work_stop_the_start():
    with pytest.raises(ConfigurationError, match="sentinel_host"):
        RedisRegistrar(RedisSettings(client="sentinel"))
    with pytest.raises(ConfigurationError) as failure:
        RedisRegistrar(RedisSettings(url="mysql://:s3cret@host"))
    assert "s3cret" not in str(failure.value)
