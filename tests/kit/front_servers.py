"""nginx and HAProxy with the configuration that comes with the server, before a port of this host."""

import contextlib
import shutil
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme

from tests.kit.ports import free_port

CONFIG = Path(__file__).parents[2] / "config"
NAME = "accounts.example.org"


@dataclass
class Front:
    """A front server: `client` speaks HTTP/2 to it from 127.0.0.2; `log` is all that it has written."""

    client: httpx.Client
    folder: Path
    process: subprocess.Popen
    context: ssl.SSLContext

    @property
    def log(self):
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


def program(name):
    path = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert path, f"{name} is not installed: apt install {name}"
    return path


def nginx(folder, server_port, plain, tls, certificate):
    site = (CONFIG / "nginx.conf").read_text()
    for before, after in (
        ("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen [::]:80;", ""),
        ("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"),
        ("listen [::]:443 ssl http2;", ""),
        (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", str(certificate)),
        (f"/etc/letsencrypt/live/{NAME}/privkey.pem", str(certificate)),
        ("/var/log/nginx/flexiapi.log", f"{folder}/flexiapi.log"),
    ):
        assert before in site
        site = site.replace(before, after)
    (folder / "site.conf").write_text(site)
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} "
    whole += f"http {{ access_log {folder}/access.log; {places} include {folder}/site.conf; }}"
    (folder / "nginx.conf").write_text(whole)
    return [program("nginx"), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


def haproxy(folder, server_port, plain, tls, certificate):
    text = (CONFIG / "haproxy.cfg").read_text()
    for before, after in (
        ("bind :80\n", f"bind 127.0.0.1:{plain}\n"),
        ("bind :443", f"bind 127.0.0.1:{tls}"),
        (f"/etc/haproxy/{NAME}.pem", str(certificate)),
        ("192.0.2.11:8080", f"127.0.0.1:{server_port}"),
        ("    server two 192.0.2.12:8080\n", ""),
    ):
        assert before in text
        text = text.replace(before, after)
    (folder / "haproxy.cfg").write_text(text)
    return [program("haproxy"), "-db", "-f", f"{folder}/haproxy.cfg"]


@contextlib.contextmanager
def started(kind, server_port, tmp_path):
    """A front server of a kind before a port, which need not listen."""
    folder = tmp_path / "front"
    folder.mkdir()
    authority = trustme.CA()
    certificate = folder / "certificate.pem"
    authority.issue_cert(NAME).private_key_and_cert_chain_pem.write_to_path(certificate)
    plain, tls = free_port(), free_port()
    command = kind(folder, server_port, plain, tls, certificate)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    transport = httpx.HTTPTransport(verify=context, http2=True, local_address="127.0.0.2")
    with (folder / "output.log").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    client = httpx.Client(
        base_url=f"https://127.0.0.1:{tls}",
        transport=Named(transport),
        timeout=30,
        headers={"Host": NAME, "Accept": "application/json"},
    )
    try:
        yield Front(client, folder, process, context)
    finally:
        client.close()
        process.terminate()
        process.wait(20)


class Named(httpx.BaseTransport):
    """Asks for the name in the certificate, wherever the front server listens."""

    def __init__(self, inner):
        self._inner = inner

    def handle_request(self, request):
        request.extensions["sni_hostname"] = NAME
        return self._inner.handle_request(request)

    def close(self):
        self._inner.close()


def await_answer(front, *statuses):
    until = time.monotonic() + 60
    while time.monotonic() < until and front.process.poll() is None:
        try:
            if front.client.get("/api/ping").status_code in statuses:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(front.log)
