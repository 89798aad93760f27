"""SIP user agents, proxies and servers: linphone-daemon, Kamailio and SIPp."""

import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.fetched import fetched
from tests.kit.ports import free_port
from tests.kit.programs import Authority, Program, binary_of


class LinphoneDaemon(Program):
    """A Linphone user agent. What it receives is on its standard output: `log`."""

    unix_socket: Path
    home: Path

    @classmethod
    def open(cls, folder: Path, name: str, configuration: str, *, release: str | None) -> "LinphoneDaemon":
        home = folder / f"{name}-home"
        # Without this folder linphone-daemon 5.1 crashes on its first message.
        (home / ".local" / "share" / "linphone").mkdir(parents=True)
        rc = folder / f"{name}.rc"
        rc.write_text(configuration)
        pipe = f"fx-{os.getpid()}-{name}-{secrets.token_hex(4)}"
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        program = [binary_of("linphone-daemon")] if release is None else _fetched_linphone(release)
        argv = [*program, "--config", str(rc), "--pipe", pipe]
        started = cls.start(argv, folder / f"{name}.log", env=environment, cwd=folder)
        started.home = home
        # 5.1 puts its socket into /tmp, 5.3 where the name leads from its own folder.
        places = [Path("/tmp") / pipe, folder / pipe]
        started.wait(lambda: any(place.exists() for place in places))
        started.unix_socket = next(place for place in places if place.exists())
        started.wait(started.answers)
        return started

    def answers(self) -> bool:
        try:
            return self.ask("version").startswith("Status: Ok")
        except OSError:
            return False

    def ask(self, command: str) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until:
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


def _fetched_linphone(release: str) -> list[str]:
    """Return the command of the linphone-daemon of another Debian: its own dynamic linker brings its own libraries."""
    usr = fetched(f"linphone-{release}") / "usr"
    libraries = usr / "lib" / "x86_64-linux-gnu"
    path = ":".join(str(libraries / folder) for folder in ("", "pulseaudio", "blas", "lapack"))
    return [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", path, str(usr / "bin" / "linphone-daemon")]


@pytest.fixture
def linphone_daemon(folder) -> Iterator[Callable[..., LinphoneDaemon]]:
    """Start a linphone-daemon: (name, rc file's text, release=None) -> LinphoneDaemon; ended with the test.

    Without a release it is the installed one; 5.3 is Debian 13's, which `.ci/fetch` fetches.
    """
    started = []

    def start(name: str, configuration: str, release: str | None = None) -> LinphoneDaemon:
        started.append(LinphoneDaemon.open(folder, name, configuration, release=release))
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
modparam("tm", "fr_timer", 30000)
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
        """Return the address that a client sends to; transport is `udp`, `tcp` or `tls`."""
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
    argv = [binary_of("kamailio"), "-f", str(configuration), "-DD", "-E", "-m", "64", "-M", "8"]
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
        argv = [binary_of("sipp"), "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(port), "-m", "1", "-nostdin"]
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
