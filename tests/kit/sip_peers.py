"""Real servers on loopback. Those of a session start when a test first asks for them.

binary            (name) -> path of an installed program; a missing one fails the test and names its Debian package
free_port         () -> a port that is free for TCP and UDP on 127.0.0.1
program           the class Program: a child process with its log
folder            an empty folder whose path is short enough for unix sockets
authority         trustme's certificate authority (`ca_file`) and a certificate of 127.0.0.1 and localhost; per session
redis_server      RedisServer with a password, on TCP, TLS and a unix socket; per session, emptied for each test
sentinel_port     the port of a Sentinel that watches redis_server; per session
replicated_redis  two redis-servers and their Sentinel, which can fail over
linphone_daemon   (name, rc file) -> a running linphone-daemon; `registered()`, `received(call_id)`
kamailio          (authenticate=..., modules=..., domain=...) -> a registrar and proxy; equal calls share one
sipp              (*steps, transport=...) -> a SIP server that plays a scenario
"""

import os
import re
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

from tests.ports import free_port

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

    def wait(self, condition: Callable[[], object], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"{self.process.args} ended:\n{self.log}"
            assert time.monotonic() < deadline, f"{self.process.args} is not ready:\n{self.log}"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def _redis(folder: Path, name: str, configuration: str, *arguments: str) -> Program:
    """Start a redis-server or Sentinel that keeps its files in `folder`."""
    file = folder / f"{name}.conf"
    file.write_text(f"bind 127.0.0.1\ndir {folder}\n{configuration}\n")
    return Program.start([_binary("redis-server"), str(file), *arguments], folder / f"{name}.log")


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


@pytest.fixture(scope="session", name="free_port")
def _free_port():
    return free_port


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
def redis_server(_redis_server) -> RedisServer:
    with _redis_server.client() as client:
        client.flushall()
    return _redis_server


@pytest.fixture(scope="session")
def sentinel_port(session_folder, _redis_server) -> Iterator[int]:
    """The port of a Sentinel with the password `s3ntinel` that knows `redis_server` as `flexisip`."""
    port = free_port()
    configuration = (
        f"port {port}\nrequirepass s3ntinel\nsentinel monitor flexisip 127.0.0.1 {_redis_server.port} 1\n"
        f"sentinel auth-pass flexisip {_redis_server.password}"
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
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(30)
                connection.connect(str(self.unix_socket))
                try:
                    connection.sendall(f"{command}\n".encode())
                    return connection.recv(65536).decode()
                except (ConnectionResetError, BrokenPipeError):
                    # It has not noticed yet that its client before this one is gone.
                    time.sleep(0.02)
        raise AssertionError("linphone-daemon is always busy")

    def registered(self) -> "LinphoneDaemon":
        """Wait until the proxy has accepted the registration of its account."""
        self.wait(lambda: "LinphoneRegistrationOk" in self.ask("register-status ALL"))
        return self

    def received(self, identifier: str) -> str:
        """Wait for the message with this Call-ID and return its text."""
        event = re.compile(rf'message-received\n.*?Id: {re.escape(identifier)}\nContent: "(.*?)"\n\n', re.DOTALL)
        self.wait(lambda: event.search(self.log))
        return event.search(self.log)[1]

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


# A registrar and proxy for one domain. AUTHENTICATE ends the script itself when the request is not accepted.
KAMAILIO = """
#!KAMAILIO
log_stderror=yes
debug=2
children=1
tcp_children=1
auto_aliases=no
enable_tls=yes
listen=udp:127.0.0.1:PORT
listen=tcp:127.0.0.1:PORT
listen=tls:127.0.0.1:TLS
alias="DOMAIN"
tcp_connection_lifetime=3605
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "tls.so"
modparam("tls", "certificate", "CERTIFICATE")
modparam("tls", "private_key", "KEY")
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tm", "fr_timer", 5000)
MODULES

request_route {
    if (!mf_process_maxfwd_header("10")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    if (is_method("OPTIONS") && uri == myself) {
        sl_send_reply("200", "OK");
        exit;
    }
    if (!is_method("ACK|BYE|CANCEL")) {
        route(AUTHENTICATE);
        consume_credentials();
    }
    if (is_method("REGISTER")) {
        save("location");
        exit;
    }
    if (uri == myself && !lookup("location")) {
        sl_send_reply("404", "Not Found");
        exit;
    }
    t_relay();
}

route[AUTHENTICATE] {
AUTHENTICATE
}
"""

# Every user's password is `secret`; mallory is known and not welcome.
ONE_PASSWORD = """
    if ($fU == "mallory") {
        sl_send_reply("403", "Forbidden");
        exit;
    }
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("$fd", "secret", "0")) {
            www_challenge("$fd", "1");
            exit;
        }
    } else if (!pv_proxy_authenticate("$fd", "secret", "0")) {
        proxy_challenge("$fd", "1");
        exit;
    }
"""


@dataclass
class Kamailio:
    program: Program
    port: int
    tls_port: int
    authority: Authority

    def uri(self, transport: str) -> str:
        """Where a client sends to: transport is `udp`, `tcp` or `tls`."""
        return f"sip:127.0.0.1:{self.tls_port if transport == 'tls' else self.port};transport={transport}"

    def agent(
        self, user: str, transport: str = "udp", password: str = "secret", domain: str = "sip.example.org"
    ) -> str:
        """The rc file of a linphone-daemon that registers as `user` by this proxy."""
        return f"""
[sip]
default_proxy=0
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
register_only_when_network_is_up=0
root_ca={self.authority.ca_file}
verify_server_certs=1
verify_server_cn=0
[net]
stun_server=
[proxy_0]
reg_proxy=<{self.uri(transport)}>
reg_route=<{self.uri(transport)};lr>
reg_identity=sip:{user}@{domain}
reg_expires=600
reg_sendregister=1
[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}
[misc]
config-uri=
"""


@pytest.fixture(scope="session")
def kamailio(session_folder, authority) -> Iterator[Callable[..., Kamailio]]:
    """Start Kamailio: (authenticate=script, modules=lines, domain=name) -> Kamailio; equal calls share one.

    `authenticate` is the body of the route that every request but OPTIONS must pass; `modules` are loadmodule and
    modparam lines that it needs.
    """
    started: dict[tuple[str, ...], Kamailio] = {}

    def start(authenticate: str = ONE_PASSWORD, modules: str = "", domain: str = "sip.example.org") -> Kamailio:
        key = (authenticate, modules, domain)
        if key not in started:
            folder = session_folder / f"kamailio-{len(started)}"
            folder.mkdir()
            started[key] = _start_kamailio(folder, authority, authenticate, modules, domain)
        return started[key]

    yield start
    for each in started.values():
        each.program.stop()


def _start_kamailio(folder: Path, authority: Authority, authenticate: str, modules: str, domain: str) -> Kamailio:
    port, tls_port = free_port(), free_port()
    script = KAMAILIO.lstrip()
    for word, text in {
        "listen=tls:127.0.0.1:TLS": f"listen=tls:127.0.0.1:{tls_port}",
        "127.0.0.1:PORT": f"127.0.0.1:{port}",
        '"DOMAIN"': f'"{domain}"',
        '"CERTIFICATE"': f'"{authority.certificate_file}"',
        '"KEY"': f'"{authority.key_file}"',
        "\nMODULES\n": f"\n{modules}\n",
        "\nAUTHENTICATE\n": f"\n{authenticate}\n",
    }.items():
        script = script.replace(word, text)
    configuration = folder / "kamailio.cfg"
    configuration.write_text(script)
    argv = [_binary("kamailio"), "-f", str(configuration), "-DD", "-E", "-m", "64", "-M", "8"]
    program = Program.start([*argv, "-Y", str(folder), "-P", str(folder / "pid")], folder / "log")
    kamailio = Kamailio(program, port, tls_port, authority)
    program.wait(lambda: _answers_options(port))
    return kamailio


def _answers_options(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.connect(("127.0.0.1", port))
        local = ":".join(map(str, client.getsockname()))
        lines = [
            f"OPTIONS sip:127.0.0.1:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {local};branch=z9hG4bK{secrets.token_hex(8)}",
            f"From: <sip:probe@{local}>;tag=1",
            f"To: <sip:127.0.0.1:{port}>",
            f"Call-ID: {secrets.token_hex(8)}",
            "CSeq: 1 OPTIONS",
            "Max-Forwards: 1",
            "Content-Length: 0",
        ]
        try:
            client.send("\r\n".join([*lines, "", ""]).encode())
            return client.recv(4096).startswith(b"SIP/2.0 ")
        except OSError:
            return False


@dataclass
class Sipp:
    """A SIP server that plays one scenario once."""

    program: Program
    port: int
    messages_file: Path

    def requests(self) -> list[str]:
        """The requests that it received, as texts, without retransmissions; ends it."""
        return list(dict.fromkeys(self.datagrams()))

    def datagrams(self) -> list[str]:
        """All that it received, as texts; ends it."""
        self.program.stop()
        received = re.split(r"^-{20,}.*\n", self.messages_file.read_text(), flags=re.MULTILINE)
        return [each.split("\n\n", 1)[1] for each in received if " message received " in each]


@pytest.fixture
def sipp(folder) -> Iterator[Callable[..., Sipp]]:
    """Play a scenario: (*steps, transport="udp") -> Sipp. Each step is a response such as `407 Denied` with header
    lines below it, `recv` to wait for another request, or `raw TEXT`; the scenario begins by waiting for one.
    """
    started: list[Sipp] = []

    def play(*steps: str, transport: str = "udp") -> Sipp:
        port, number = free_port(), len(started)
        scenario, messages = folder / f"scenario-{number}.xml", folder / f"messages-{number}.log"
        scenario.write_text(_scenario(steps))
        argv = [_binary("sipp"), "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(port), "-m", "1", "-nostdin"]
        argv += ["-t", {"udp": "u1", "tcp": "t1"}[transport], "-trace_msg", "-message_file", str(messages)]
        argv += ["-message_overwrite", "true", "-trace_err", "-error_file", str(folder / f"errors-{number}.log")]
        program = Program.start(argv, folder / f"sipp-{number}.log", env=os.environ | {"TERM": "xterm"}, cwd=folder)
        started.append(Sipp(program, port, messages))
        listening = re.compile(rf"\b0100007F:{port:04X} 00000000:0000", re.IGNORECASE)
        program.wait(lambda: listening.search(Path(f"/proc/net/{transport}").read_text()))
        return started[-1]

    yield play
    for each in started:
        each.program.stop()


def _scenario(steps: tuple[str, ...]) -> str:
    receive = '<recv request="MESSAGE"/>'
    parts = ['<?xml version="1.0"?>', '<scenario name="test">', receive]
    for step in steps:
        status, *headers = step.split("\n")
        copied = ["[last_Via:]", "[last_From:]", "[last_To:];tag=1", "[last_Call-ID:]", "[last_CSeq:]"]
        lines = [f"SIP/2.0 {status}", *copied, *headers, "Content-Length: 0"]
        text = step.removeprefix("raw ") if step.startswith("raw ") else "\n".join(lines)
        parts.append(receive if step == "recv" else f"<send><![CDATA[\n\n{text}\n\n]]></send>")
    return "\n".join([*parts, "</scenario>"])
