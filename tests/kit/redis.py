"""Redis servers and Sentinels."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from tests.kit.ports import free_port
from tests.kit.programs import Authority, Program, binary_of


def _redis(folder: Path, name: str, configuration: str, *arguments: str) -> Program:
    """Start a redis-server or Sentinel that keeps its files in `folder`."""
    file = folder / f"{name}.conf"
    file.write_text(f"bind 127.0.0.1\ndir {folder}\n{configuration}\n")
    return Program.start([binary_of("redis-server"), str(file), *arguments], folder / f"{name}.log")


@dataclass
class RedisServer:
    program: Program
    port: int
    tls_port: int
    unix_socket: Path
    authority: Authority
    password: str = field(default="r3dis", repr=False)

    def client(self, db: int = 0) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.unix_socket), password=self.password, db=db, decode_responses=True)


@pytest.fixture(scope="session")
def session_redis(session_folder, authority) -> Iterator[RedisServer]:
    port, tls_port, unix_socket = free_port(), free_port(), session_folder / "redis.sock"
    program = _redis(
        session_folder,
        "redis",
        f"""
port {port}
tls-port {tls_port}
tls-cert-file {authority.certificate_file}
tls-key-file {authority.key_file}
tls-ca-cert-file {authority.ca_file}
tls-auth-clients no
unixsocket {unix_socket}
requirepass r3dis
user reader on >s3cond ~fs:* &* +@all
save ""
""",
    )
    server = RedisServer(program, port, tls_port, unix_socket, authority)
    program.wait(lambda: "Ready to accept connections" in program.log)
    yield server
    program.stop()


@pytest.fixture
def redis_server(session_redis) -> RedisServer:
    with session_redis.client() as client:
        client.flushall()
    return session_redis


@pytest.fixture(scope="session")
def sentinel_port(session_folder, session_redis) -> Iterator[int]:
    """The port of a Sentinel with the password `s3ntinel` that knows `redis_server` as `flexisip`."""
    port = free_port()
    configuration = (
        f"port {port}\nrequirepass s3ntinel\nsentinel monitor flexisip 127.0.0.1 {session_redis.port} 1\n"
        f"sentinel auth-pass flexisip {session_redis.password}"
    )
    program = _redis(session_folder, "sentinel", configuration, "--sentinel")
    program.wait(lambda: "+monitor master flexisip" in program.log)
    yield port
    program.stop()


@dataclass
class Replicated:
    """Two redis-servers without password and the Sentinel that watches them as `flexisip`."""

    ports: list[int]
    sentinel_port: int

    def master(self) -> int:
        """The port of the redis-server that is the master, as the Sentinel sees it."""
        with redis.Redis(port=self.sentinel_port, decode_responses=True) as client:
            return client.sentinel_master("flexisip")["port"]

    def fail_over(self) -> None:
        """Make the other one the master, and return when it is."""
        before = self.master()
        with redis.Redis(port=self.sentinel_port) as client:
            _until(lambda: _accepted(client, "SENTINEL", "FAILOVER", "flexisip"))
        _until(lambda: self.master() != before)
        with redis.Redis(port=before) as client:
            # The Sentinel would tell it some 10 s later.
            client.replicaof("127.0.0.1", self.master())


def _accepted(client: redis.Redis, *command: str) -> bool:
    try:
        return bool(client.execute_command(*command))
    except redis.ResponseError:
        return False


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def replicated_redis(folder) -> Iterator[Replicated]:
    ports = [free_port() for _ in range(3)]
    common = 'save ""\nrepl-diskless-sync-delay 0\nport'
    programs = [
        _redis(folder, "first", f"{common} {ports[0]}"),
        _redis(folder, "second", f"{common} {ports[1]}\nreplicaof 127.0.0.1 {ports[0]}"),
    ]
    try:
        programs[1].wait(lambda: "MASTER <-> REPLICA sync: Finished" in programs[1].log)
        monitor = f"sentinel monitor flexisip 127.0.0.1 {ports[0]} 1"
        programs.append(_redis(folder, "sentinel", f"port {ports[2]}\n{monitor}", "--sentinel"))
        programs[2].wait(lambda: "+slave slave" in programs[2].log)
        yield Replicated(ports[:2], ports[2])
    finally:
        for program in programs:
            program.stop()
