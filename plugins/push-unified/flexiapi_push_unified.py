"""Push backend for UnifiedPush endpoints and ntfy topics: phones without Google's or Apple's services."""

import asyncio
import json
import re
from http import HTTPStatus
from typing import Annotated, Self
from urllib.parse import unquote

import httpx
from pydantic import AfterValidator, Field, SecretStr, model_validator

from flexiapi.plugin import (
    BackendConfig,
    DataPath,
    DeliveryError,
    Permanent,
    PushBackend,
    PushMessage,
    Receipt,
    Retryable,
    Unregistered,
    normalised_url,
    retry_after,
    tls_context,
    unreachable,
)

_HOST = re.compile(r"(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?")

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SLASH = re.compile(r"[/\\]")
_QUERIES = (b"", b"up=1")


def _a_host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise ValueError("write a host name or address, with `:port` if it is not the usual one")
    return text.lower()


Host = Annotated[str, AfterValidator(_a_host)]


class UnifiedConfig(BackendConfig):
    """Settings with the allowed hosts, because callers of the API choose the endpoints."""

    hosts: tuple[Host, ...] = Field(
        min_length=1, description="push servers that endpoints may be on, such as ntfy.sh or push.example.org:8443"
    )
    access_tokens: dict[Host, SecretStr] = Field(
        {}, description="access token by host, for servers that take messages only from those they know"
    )
    token_paths: re.Pattern[str] = Field(
        re.compile(r"/[A-Za-z0-9_-]{1,64}"),
        description="regular expression of the paths that an access token is sent to: the endpoints, nothing else",
    )
    ttl_seconds: int = Field(86400, ge=0, le=2419200, description="how long a server keeps a message, in seconds")
    allow_http: bool = Field(False, description="take endpoints without TLS too; for servers on this host")
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those that httpx trusts")

    @model_validator(mode="after")
    def _tokens_are_of_hosts(self) -> Self:
        strangers = set(self.access_tokens) - set(self.hosts)
        if strangers:
            raise ValueError(f"access_tokens names {', '.join(sorted(strangers))}, which `hosts` does not")
        return self


class UnifiedPush(PushBackend[UnifiedConfig]):
    """Posts to the endpoint in the device's `pn_prid`."""

    Config = UnifiedConfig
    providers = frozenset({"ntfy", "unifiedpush"})

    async def start(self) -> None:
        """Make the client, which does not follow redirects, because their targets are not allowed hosts."""
        context = await asyncio.to_thread(tls_context, self.config.ca_file)
        self._http = httpx.AsyncClient(verify=context, timeout=30, follow_redirects=False)

    def device_identity(self, message: PushMessage) -> str:
        """Return the endpoint, normalised, for whichever provider it was given."""
        self._endpoint(message.prid)
        return normalised_url(message.prid)

    async def send(self, message: PushMessage) -> Receipt:
        """Post the data as JSON."""
        url, host = self._endpoint(message.prid)
        headers = {"Content-Type": "application/json", **self._options(message)}
        if host in self.config.access_tokens:
            headers["Authorization"] = f"Bearer {self.config.access_tokens[host].get_secret_value()}"
        body = json.dumps(dict(message.data), separators=(",", ":"))
        try:
            answer = await self._http.post(url, content=body, headers=headers)
        except httpx.RequestError as error:
            raise unreachable(error, host) from None
        if not answer.is_success:
            raise _refused(answer, host)
        return Receipt(_id(answer))

    def _options(self, message: PushMessage) -> dict[str, str]:
        """Return the headers of RFC 8030; messages of earlier servers name no options, and are urgent."""
        longest, seconds = self.config.ttl_seconds, getattr(message, "time_to_live", None)
        topic = getattr(message, "collapse_id", None)
        return {
            "TTL": str(longest if seconds is None else min(seconds, longest)),
            "Urgency": getattr(message, "priority", "high"),
            **({"Topic": topic} if topic and _TOPIC.fullmatch(topic) else {}),
        }

    def _endpoint(self, prid: str) -> tuple[httpx.URL, str]:
        """Return the endpoint, and its entry in `hosts`. Raises `Permanent`."""
        try:
            url = httpx.URL(prid)
        except (httpx.InvalidURL, ValueError):
            raise Permanent("pn_prid is not an endpoint") from None
        if url.scheme != "https" and not (url.scheme == "http" and self.config.allow_http):
            raise Permanent("pn_prid is not an https endpoint")
        # The root of ntfy would take the topic from the message.
        if url.userinfo or url.fragment or url.path in ("", "/") or _has_dot_segments(prid):
            raise Permanent("pn_prid is not an endpoint")
        host = _written(url)
        if host not in self.config.hosts:
            raise Permanent("the endpoint's host is not one of `hosts`")
        if host in self.config.access_tokens and not self._may_have_token(url):
            raise Permanent("no access token is sent to this endpoint: look at token_paths")
        return url, host

    def _may_have_token(self, url: httpx.URL) -> bool:
        """Return True if the request can do nothing but push, because servers read commands from path and query."""
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        return self.config.token_paths.fullmatch(path) is not None and url.query in _QUERIES

    async def check(self) -> None:
        """Check that each host answers."""
        for host in self.config.hosts:
            url = f"{'http' if self.config.allow_http else 'https'}://{host}/"
            try:
                answer = await self._http.get(url)
            except httpx.RequestError as error:
                raise unreachable(error, host) from None
            if answer.is_server_error:
                raise Retryable(f"{host} answers {answer.status_code}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _written(url: httpx.URL) -> str:
    """Return the host as it is written in the settings; httpx omits the default port of a scheme."""
    name = url.raw_host.decode("ascii").lower()
    name = f"[{name}]" if ":" in name else name
    return name if url.port is None else f"{name}:{url.port}"


def _has_dot_segments(prid: str) -> bool:
    """Return True if the path has dot segments: httpx resolves them, and servers also percent-encoded ones."""
    return any(segment in (".", "..") for segment in _SLASH.split(unquote(prid.partition("?")[0])))


def _refused(answer: httpx.Response, host: str) -> DeliveryError:
    status = answer.status_code
    text = f"{host} answers {status}"
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return Unregistered(f"{text}: the endpoint is gone")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retryable(text, retry_after=retry_after(answer.headers))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Permanent(f"{text}: look at access_tokens")
    return Permanent(text)


def _id(answer: httpx.Response) -> str | None:
    """Return ntfy's id of the message; other UnifiedPush servers answer anything."""
    try:
        found = answer.json().get("id")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
