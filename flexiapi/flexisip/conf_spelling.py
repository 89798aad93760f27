"""Names in a `flexisip.conf` that Flexisip does not know, or that a release does not know yet."""

import difflib
from collections.abc import Iterator

from flexiapi.flexisip.conf_file import ConfFile, Setting
from flexiapi.flexisip.releases import FIRST_WITH_CONNECTION, FIRST_WITH_DOMAINS, FIRST_WITH_EVENT_LOG, Release

_OLDEST = Release(0, 0)
_OF_EVERY_MODULE = {"enabled": _OLDEST, "filter": _OLDEST, "from-domains": _OLDEST, "to-domains": _OLDEST}
_WHOLE: dict[str, dict[str, Release]] = {
    "global::flexiapi": {"url": FIRST_WITH_CONNECTION, "api-key": FIRST_WITH_CONNECTION},
    "event-logs": {
        **dict.fromkeys(("enabled", "logger", "dir", "filesystem-directory"), _OLDEST),
        **dict.fromkeys(("database-backend", "database-connection-string"), _OLDEST),
        **dict.fromkeys(("database-max-queue-size", "database-nb-threads-max"), _OLDEST),
        **dict.fromkeys(("flexiapi-host", "flexiapi-port", "flexiapi-prefix", "flexiapi-token"), FIRST_WITH_EVENT_LOG),
        "flexiapi-api-key": Release(2, 4),
    },
    "module::Authorization": {
        **_OF_EVERY_MODULE,
        **dict.fromkeys(
            ("account-manager-host", "account-manager-port", "account-manager-api-key"), FIRST_WITH_DOMAINS
        ),
        **dict.fromkeys(("accounts-refresh-delay", "auth-domains"), FIRST_WITH_DOMAINS),
        "auth-domains-mode": FIRST_WITH_CONNECTION,
    },
    "voicemail-server": dict.fromkeys(
        (
            "transport",
            "audio-port",
            "enable-ice",
            "max-calls",
            "default-announcement-path",
            "voicemail-announcement-path",
            "voicemail-storage-path",
            "max-voicemail-duration",
        ),
        FIRST_WITH_CONNECTION,
    ),
}
"""All settings of these sections, with the release that brought them."""

_SOME: dict[str, dict[str, Release]] = {
    "global": {"advanced-account-data": FIRST_WITH_CONNECTION},
    "module::Router": dict.fromkeys(
        ("enable-call-diversions", "max-call-diversions", "voicemail-server", "forwarding-status-codes"),
        FIRST_WITH_CONNECTION,
    ),
    "module::PushNotification": {"external-push-flexiapi": FIRST_WITH_CONNECTION},
    "module::Authentication": {"auth-domains": _OLDEST, "available-algorithms": _OLDEST, "db-implementation": _OLDEST},
}
"""Those settings of other sections that concern this server; the sections have more."""

_LIKENESS = 0.87


def misnamed(file: ConfFile, release: Release) -> Iterator[tuple[int, str]]:
    """Return the lines with a name that this release does not know, and what to do about each."""
    known = _WHOLE | _SOME
    for section, line in file.sections.items():
        meant = difflib.get_close_matches(section, known, 1, _LIKENESS)
        if section not in known and meant and not section.startswith(f"{meant[0]}::"):
            yield line, f"Flexisip has no section [{section}]; [{meant[0]}] may be meant."
    for setting in file.settings.values():
        text = _told(setting, known.get(setting.section, {}), release)
        if text:
            yield setting.line, f"[{setting.section}] {setting.key}: {text}"


def _told(setting: Setting, known: dict[str, Release], release: Release) -> str:
    since = known.get(setting.key)
    if since is not None:
        return f"Flexisip {since} brought it, {release} does not know it." if since > release else ""
    meant = difflib.get_close_matches(setting.key, known, 1, _LIKENESS)
    if meant:
        return f"{meant[0]} may be meant."
    return "Flexisip has no such setting." if setting.section in _WHOLE else ""
