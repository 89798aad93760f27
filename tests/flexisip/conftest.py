"""Real servers on loopback, each started once per session when a test first asks for it.

binary          (name) -> path of an installed program; a missing one fails the test and names its Debian package
free_port       () -> a port that is free for TCP and UDP on 127.0.0.1
authority       the certificate authority of the tests (trustme) as `.ca_file`, and a server certificate for 127.0.0.1
redis_server    RedisServer with a password, on TCP, TLS and a unix socket; emptied for each test
sentinel_port   the port of a Sentinel that watches redis_server
linphone_daemon (name, rc file) -> a running linphone-daemon, ended with the test
"""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
import trustme

PACKAGES = {
    "redis-server": "redis-server",
    "kamailio": "kamailio",
    "linphone-daemon": "linphone-cli",
    "sipp": "sip-tester",
}


def _binary(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert path, f"{name} is not installed: apt-get install {PACKAGES[name]}"
    return path


def _free_port() -> int:
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Program:
    """A child process with its log, ended by `stop`."""

    process: subprocess.Popen
    log_file: Path

    @classmethod
    def start(cls, argv: list[str], log_file: Path, **options) -> "Program":
        with log_file.open("ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        return cls(process, log_file)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait(self, condition: Callable[[], object], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"{self.process.args} ended:\n{self.log}"
            assert time.monotonic() < deadline, f"{self.process.args} is not ready:\n{self.log}"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


@dataclass
class Authority:
    ca_file: Path
    certificate_file: Path
    key_file: Path


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
def binary():
    return _binary


@pytest.fixture(scope="session")
def free_port():
    return _free_port


@pytest.fixture(scope="session")
def program():
    """The class `Program`, for tests that start others."""
    return Program


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for unix sockets."""
    with tempfile.TemporaryDirectory(prefix="fx-") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fx-") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def authority(session_folder) -> Authority:
    made = Authority(*(session_folder / name for name in ("ca.pem", "server.pem", "server.key")))
    ca = trustme.CA()
    ca.cert_pem.write_to_path(made.ca_file)
    server = ca.issue_cert("127.0.0.1", "localhost")
    server.cert_chain_pems[0].write_to_path(made.certificate_file)
    server.private_key_pem.write_to_path(made.key_file)
    return made


@pytest.fixture(scope="session")
def _redis_server(session_folder, authority) -> Iterator[RedisServer]:
    port, tls_port, unix_socket = _free_port(), _free_port(), session_folder / "redis.sock"
    configuration = session_folder / "redis.conf"
    configuration.write_text(
        f"""
bind 127.0.0.1
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
dir {session_folder}
"""
    )
    program = Program.start([_binary("redis-server"), str(configuration)], session_folder / "redis.log")
    server = RedisServer(program, port, tls_port, unix_socket, authority)
    program.wait(lambda: "Ready to accept connections" in program.log)
    yield server
    program.stop()


@pytest.fixture
def redis_server(_redis_server) -> RedisServer:
    with _redis_server.client() as client:
        client.flushall()
    return _redis_server


@pytest.fixture(scope="session")
def sentinel_port(session_folder, _redis_server) -> Iterator[int]:
    """The port of a Sentinel with the password `s3ntinel` that knows `redis_server` as `flexisip`."""
    port = _free_port()
    configuration = session_folder / "sentinel.conf"
    configuration.write_text(
        f"""
bind 127.0.0.1
port {port}
requirepass s3ntinel
sentinel monitor flexisip 127.0.0.1 {_redis_server.port} 1
sentinel auth-pass flexisip {_redis_server.password}
dir {session_folder}
"""
    )
    program = Program.start(
        [_binary("redis-server"), str(configuration), "--sentinel"], session_folder / "sentinel.log"
    )
    program.wait(lambda: "+monitor master flexisip" in program.log)
    yield port
    program.stop()


class LinphoneDaemon(Program):
    """A Linphone user agent. What it receives is on its standard output: `log`."""

    unix_socket: Path

    @classmethod
    def open(cls, folder: Path, name: str, configuration: str) -> "LinphoneDaemon":
        home = folder / f"{name}-home"
        # Without this folder linphone-daemon 5.1 crashes on its first message.
        (home / ".local" / "share" / "linphone").mkdir(parents=True)
        rc = folder / f"{name}.rc"
        rc.write_text(configuration)
        pipe = f"fx-{os.getpid()}-{name}-{secrets.token_hex(4)}"
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        argv = [_binary("linphone-daemon"), "--config", str(rc), "--pipe", pipe]
        started = cls.start(argv, folder / f"{name}.log", env=environment, cwd=folder)
        started.unix_socket = Path("/tmp") / pipe
        started.wait(started.answers)
        return started

    def answers(self) -> bool:
        try:
            return self.ask("version").startswith("Status: Ok")
        except OSError:
            return False

    def ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.unix_socket))
            connection.sendall(f"{command}\n".encode())
            return connection.recv(65536).decode()

    def stop(self) -> None:
        super().stop()
        self.unix_socket.unlink(missing_ok=True)


@pytest.fixture
def linphone_daemon(folder) -> Iterator[Callable[[str, str], LinphoneDaemon]]:
    """Start a linphone-daemon: (name, rc file's text) -> LinphoneDaemon; ended with the test."""
    started = []

    def start(name: str, configuration: str) -> LinphoneDaemon:
        started.append(LinphoneDaemon.open(folder, name, configuration))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()
