"""Diagnosis of an existing `flexisip.conf`: the calls that Flexisip will make to this server, and what is wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from flexiapi.flexisip.conf_file import ConfFile, read_conf
from flexiapi.flexisip.conf_fragment import PLACEHOLDER, Place, place_of
from flexiapi.flexisip.conf_spelling import misnamed
from flexiapi.flexisip.releases import (
    CALLS,
    DIVERSIONS,
    DOMAINS,
    EVENT_LOG,
    FIRST_WITH_CONNECTION,
    PUSHES,
    VOICEMAIL,
    FlexisipCall,
    Release,
    release_of,
)
from flexiapi.model import KeyScope
from flexiapi.settings import Settings

ASSUMED = FIRST_WITH_CONNECTION
"""The release whose file it is if neither the file nor the operator says so."""

_CONNECTION = "global::flexiapi"
_AUTHORIZATION = "module::Authorization"
_PREFIXES = ("api/statistics", "api/stats")
_VERSION_OF_DUMP = re.compile(r"This is the default Flexisip \((?P<version>v?[^)]+)\) configuration file")
_SECONDS, _BYTES_A_SECOND = re.compile(r"([0-9]{1,6})s?"), 104_857
_ISSUE_262 = "https://github.com/BelledonneCommunications/flexisip/issues/262"


class Grade(StrEnum):
    """The weight of a finding. An error keeps Flexisip from starting, or makes its calls fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class ConfFinding:
    """A fault or something remarkable; `line` is `None` for what stands in no line."""

    grade: Grade
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class UsedKey:
    """An API key that Flexisip will send, the setting that it stands in, and the scopes that its calls need."""

    setting: str
    line: int | None
    value: str = field(repr=False)
    scopes: frozenset[KeyScope] = frozenset()


@dataclass(slots=True)
class Examination:
    """The findings of a file. `calls` has what each call of its release does: whether it is made, and where to."""

    release: Release
    calls: list[tuple[FlexisipCall, str]] = field(default_factory=list)
    findings: list[ConfFinding] = field(default_factory=list)
    keys: list[UsedKey] = field(default_factory=list)


def examine(text: str, settings: Settings, release: Release | None = None) -> Examination:
    """Examine the text of a `flexisip.conf`. Without a release it is that in the head of a dumped file, or 2.6."""
    file = read_conf(text)
    dumped = _VERSION_OF_DUMP.search(text)
    found = release or (release_of(dumped["version"]) if dumped else ASSUMED)
    return _Examiner(file, settings, found, is_assumed=release is None and dumped is None).done()


class _Examiner:
    """Examination of one file by the rules of one release."""

    def __init__(self, file: ConfFile, settings: Settings, release: Release, *, is_assumed: bool) -> None:
        self._file = file
        self._settings = settings
        self._place: Place = place_of(settings)
        self._result = Examination(release)
        self._release = release
        if is_assumed:
            self._tell(Grade.NOTE, None, f"Read as a file of Flexisip {release}; --flexisip names another version.")

    def done(self) -> Examination:
        """Apply all rules."""
        for fault in self._file.faults:
            self._tell(Grade.ERROR, fault.line, f"{fault.text}.")
        for line, text in misnamed(self._file, self._release):
            self._tell(Grade.WARNING, line, text)
        of = {EVENT_LOG: self._event_log, DOMAINS: self._domains, DIVERSIONS: self._diversions}
        of |= {PUSHES: self._pushes, VOICEMAIL: self._voicemail}
        for call in CALLS:
            if call.since <= self._release:
                self._result.calls.append((call, of[call]()))
        self._connection()
        for key, text in _of_sign_in(self._file, self._settings):
            self._told_at(Grade.WARNING, "module::Authentication", key, text)
        self._result.findings.sort(key=lambda finding: (list(Grade).index(finding.grade), finding.line or 0))
        return self._result

    def _tell(self, grade: Grade, line: int | None, text: str) -> None:
        self._result.findings.append(ConfFinding(grade, line, text))

    def _told_at(self, grade: Grade, section: str, key: str, text: str) -> None:
        self._tell(grade, self._file.line(section, key), f"[{section}] {key}: {text}")

    def _by_connection(self, section: str, key: str) -> str:
        """Return the address in [global::flexiapi], and say what a setting that needs it misses."""
        if not self._file.value(_CONNECTION, "url"):
            self._told_at(Grade.ERROR, section, key, "needs url and api-key in [global::flexiapi].")
            return "nowhere"
        return self._file.value(_CONNECTION, "url").rstrip("/")

    def _event_log(self) -> str:
        file, section = self._file, "event-logs"
        if not file.is_on(section, "enabled") or file.value(section, "logger", "filesystem") != "flexiapi":
            return ""
        if not self._settings.statistics.days:
            self._tell(Grade.NOTE, None, "[statistics] days is 0 here: reports of calls are answered, and not kept.")
        host = file.value(section, "flexiapi-host", "localhost")
        if self._release >= FIRST_WITH_CONNECTION:
            if not host:
                address, path = self._by_connection(section, "flexiapi-host"), ""
                return address + self._prefix(path)
            self._overridden(host)
        self._own_host(section, "flexiapi-host", host)
        of_key = "flexiapi-token" if self._release < Release(2, 4) else "flexiapi-api-key"
        if of_key not in {key for of, key in file.settings if of == section} and file.value(section, "flexiapi-token"):
            of_key = "flexiapi-token"
        self._key(section, of_key, EVENT_LOG)
        return f"https://{host}:{file.value(section, 'flexiapi-port', '443')}{self._prefix(self._place.path)}"

    def _overridden(self, host: str) -> None:
        if ("event-logs", "flexiapi-host") in self._file.settings:
            text = "is deprecated, and goes before [global::flexiapi]; write flexiapi-host= to use that."
            self._told_at(Grade.WARNING, "event-logs", "flexiapi-host", text)
        else:
            text = f"is {host} unless it is set, and goes before [global::flexiapi]; write flexiapi-host="
            self._told_at(Grade.ERROR, "event-logs", "flexiapi-host", text)

    def _prefix(self, path: str) -> str:
        """Return the prefix of the event log as a path. `path` is the one that has to be before ours."""
        prefix = self._file.value("event-logs", "flexiapi-prefix", "/api/stats/").strip("/")
        wanted = [f"{path}/{known}".strip("/") for known in _PREFIXES]
        if prefix not in wanted:
            text = f"this server answers below /{wanted[0]}/ and /{wanted[1]}/ alone."
            self._told_at(Grade.ERROR, "event-logs", "flexiapi-prefix", text)
        return f"/{prefix}/"

    def _own_host(self, section: str, key: str, host: str) -> None:
        if "://" in host:
            self._told_at(Grade.ERROR, section, key, "takes a host name, not a URL.")
        elif host.lower() != self._place.host.lower():
            text = f"is {host}, and app.url of this server has {self._place.host}."
            self._told_at(Grade.WARNING, section, key, text)

    def _key(self, section: str, key: str, *calls: FlexisipCall) -> None:
        value = self._file.value(section, key)
        if not value or value == PLACEHOLDER:
            text = "is missing; `flexiapi api-keys create --scope flexisip` makes one."
            self._told_at(Grade.ERROR, section, key, text)
        else:
            scopes = frozenset(call.scope for call in calls)
            self._result.keys.append(UsedKey(f"[{section}] {key}", self._file.line(section, key), value, scopes))

    def _domains(self) -> str:
        file, section = self._file, _AUTHORIZATION
        if not file.is_on(section, "enabled"):
            return ""
        if file.is_on("module::Authentication", "enabled"):
            text = (
                "accepts users of [module::AuthOpenIDConnect] alone: beside [module::Authentication] it refuses every "
                "request."
            )
            self._told_at(Grade.ERROR, section, "enabled", text)
        mode = file.value(section, "auth-domains-mode", "legacy")
        if self._release < FIRST_WITH_CONNECTION or mode == "legacy":
            return self._domains_of_2_5(section)
        if mode not in ("flexiapi", "static"):
            self._told_at(Grade.ERROR, section, "auth-domains-mode", "is flexiapi, static or legacy.")
        if mode != "flexiapi":
            return ""
        return self._by_connection(section, "auth-domains-mode") + "/api/spaces"

    def _domains_of_2_5(self, section: str) -> str:
        host = self._file.value(section, "account-manager-host")
        if not host:
            return ""
        if self._release >= FIRST_WITH_CONNECTION:
            text = "is the way of 2.5; write auth-domains-mode=flexiapi."
            self._told_at(Grade.WARNING, section, "account-manager-host", text)
        self._own_host(section, "account-manager-host", host)
        self._key(section, "account-manager-api-key", DOMAINS)
        if self._place.path:
            text = f"asks for /api/spaces, and this server is below {self._place.path}."
            self._told_at(Grade.ERROR, section, "account-manager-host", text)
        return f"https://{host}:{self._file.value(section, 'account-manager-port', '443')}/api/spaces"

    def _diversions(self) -> str:
        file = self._file
        source = file.value("global", "advanced-account-data")
        is_used = file.is_on("module::Router", "enable-call-diversions")
        if is_used and not source:
            text = "has no effect without advanced-account-data=flexiapi in [global]."
            self._told_at(Grade.WARNING, "module::Router", "enable-call-diversions", text)
        if source != "flexiapi":
            return ""
        if not is_used:
            text = "is not asked for call forwarding without enable-call-diversions=true in [module::Router]."
            self._told_at(Grade.WARNING, "global", "advanced-account-data", text)
        if self._release > FIRST_WITH_CONNECTION and file.is_on("module::AuthOpenIDConnect", "enabled"):
            text = "late builds of 2.7 do not start with it beside [module::AuthOpenIDConnect]."
            self._told_at(Grade.WARNING, "global", "advanced-account-data", text)
        address = self._by_connection("global", "advanced-account-data")
        self._tell(Grade.NOTE, None, "A rule that always forwards to voicemail ends the call with 482 in this release.")
        text = f"A 482 on a single server after an upgrade from 2.4 has nothing to do with this server: {_ISSUE_262}"
        self._tell(Grade.NOTE, None, text)
        return f"{address}/api/resolve/USER@DOMAIN" if is_used else ""

    def _pushes(self) -> str:
        section, key = "module::PushNotification", "external-push-flexiapi"
        if not self._file.is_on(section, key):
            return ""
        if not self._settings.push and self._settings.delivery.fallback_backend is None:
            self._told_at(Grade.ERROR, section, key, "this server has no push backend: set one in [push.*].")
        return self._by_connection(section, key) + "/api/push_notification"

    def _voicemail(self) -> str:
        uri = self._file.value("module::Router", "voicemail-server")
        if not uri:
            return ""
        transport = self._file.value("voicemail-server", "transport", "sip:127.0.0.1:6066;transport=tcp")
        if uri != transport:
            text = f"is {uri}, and [voicemail-server] listens on {transport}."
            self._told_at(Grade.WARNING, "module::Router", "voicemail-server", text)
        seconds = _SECONDS.fullmatch(self._file.value("voicemail-server", "max-voicemail-duration", "120s"))
        if seconds and int(seconds[1]) * _BYTES_A_SECOND > self._settings.voicemail.max_mb * 2**20:
            text = "is too long for voicemail.max_mb of this server, so Flexisip records nothing."
            self._told_at(Grade.ERROR, "voicemail-server", "max-voicemail-duration", text)
        address = self._by_connection("module::Router", "voicemail-server")
        path = _split(address).path
        if path:
            text = f"Flexisip puts {path} before the path of upload_url too, which may have it already."
            self._told_at(Grade.WARNING, _CONNECTION, "url", text)
        return f"{address}/api/accounts/ID/voicemails"

    def _connection(self) -> None:
        """Check the one address and key of later releases, if any setting uses them."""
        url = self._file.value(_CONNECTION, "url")
        if not url or self._release < FIRST_WITH_CONNECTION:
            return
        for text in _faults_of(url, self._place):
            self._told_at(Grade.ERROR, _CONNECTION, "url", text)
        self._own_host(_CONNECTION, "url", _split(url).hostname or self._place.host)
        self._key(_CONNECTION, "api-key", *(call for call, where in self._result.calls if where))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _faults_of(url: str, place: Place) -> Iterator[str]:
    parts = _split(url)
    if parts.scheme != "https" or not parts.hostname:
        yield "has to be https:// and a host name, or Flexisip does not start."
    elif parts.path.rstrip("/") != place.path:
        wanted = place.path or "no path"
        yield f"has the path {parts.path}, and this server has {wanted} before /api/..."


def _of_sign_in(file: ConfFile, settings: Settings) -> Iterator[tuple[str, str]]:
    section, replica = "module::Authentication", settings.flexisip.auth_replica
    if not file.is_on(section, "enabled"):
        return
    if "SHA-256" not in file.value(section, "available-algorithms", "MD5").split():
        yield "available-algorithms", "lacks SHA-256: accounts without an MD5 hash cannot sign in."
    is_ours = file.value(section, "db-implementation") == "soci" and file.value(section, "soci-backend") == "sqlite3"
    if is_ours and replica and str(replica.absolute()) not in file.value(section, "soci-connection-string"):
        yield "soci-connection-string", f"does not name {replica.absolute()}, the replica of this server."
