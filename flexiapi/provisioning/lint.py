"""Faults of base files: what phones would ignore, misread, or get in common although it is of one account.

The names are those that the documents of this server and the apps of liblinphone 5 use. Sections whose keys are many,
and change with each release, are only known by name.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from flexiapi.provisioning.document import Section
from flexiapi.provisioning.rcfile import MalformedRcFile, parse

_NUMBERED = re.compile(r"_[0-9]+$")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off"})
_SERVER = re.compile(r"<?sips?:[^<>\s]+>?")

_PROXY: Collection[str] = (
    *("reg_identity", "reg_proxy", "reg_route", "reg_expires", "reg_sendregister", "publish", "publish_expires"),
    *("realm", "refkey", "idkey", "depends_on", "dial_prefix", "dial_escape_plus", "contact_parameters"),
    *("contact_uri_parameters", "nat_policy_ref", "avpf", "avpf_rr_interval", "privacy", "quality_reporting_enabled"),
    *("quality_reporting_collector", "quality_reporting_interval", "push_notification_allowed"),
    *("remote_push_notification_allowed", "force_register_on_push_notification", "conference_factory_uri"),
    *("audio_video_conference_factory_uri", "rtp_bundle", "rtp_bundle_assumption", "cpim_in_basic_chat_rooms_enabled"),
    *("lime_server_url", "lime_algo", "picture_uri", "mwi_server_uri", "voicemail_uri", "ccmp_server_url"),
    *("use_international_prefix_for_calls_and_chats", "unregister_at_stop", "supported", "custom_contact"),
    *("push_parameters", "type", "server_type", "pause_in_background"),
)
_KEYS: Mapping[str, Collection[str]] = {
    "proxy": _PROXY,
    "proxy_default_values": _PROXY,
    "auth_info": ("username", "userid", "passwd", "ha1", "realm", "domain", "algorithm", "available_algorithms"),
    "nat_policy": (
        *("ref", "stun_server", "stun_server_username", "protocols", "turn_configuration_id", "use_udp_turn_transport"),
        *("use_tcp_turn_transport", "use_tls_turn_transport", "lines"),
    ),
    "remote_contact_directory": (
        *("enabled", "type", "uri", "min_characters", "results_limit", "timeout", "delay"),
        *("carddav_fields_for_user_input", "carddav_fields_for_domain", "carddav_use_exact_match_policy"),
    ),
    "ui": (
        *("disable_chat_feature", "disable_meetings_feature", "disable_broadcast_feature"),
        *("disable_call_recordings_feature", "hide_settings", "hide_account_settings"),
        *("only_display_sip_uri_username", "assistant_hide_create_account", "assistant_disable_qr_code"),
        *("assistant_hide_third_party_account", "super", "max_account"),
    ),
}
"""The sections whose keys are known."""

_SECTIONS = frozenset(_KEYS) | {
    *("sip", "misc", "app", "net", "rtp", "video", "sound", "audio", "account_creator", "assistant", "lime", "tunnel"),
    *("storage", "friend", "friends_list", "audio_codec", "video_codec", "text_codec", "proxy_config", "carddav"),
    *("nat_policy_default_values", "auth_info_default_values", "in-app-purchase", "logging", "history", "alerts"),
    *("ldap", "bluetooth", "magic_search", "push_notification", "video_display", "address_book", "event_log"),
}


class RcFault(NamedTuple):
    """A fault: what is wrong and what to do about it. Phones misbehave with an error, and ignore a warning."""

    is_error: bool
    text: str


def faults(text: str) -> list[RcFault]:
    """Return the faults of a base file, in the order of its sections."""
    try:
        sections = parse(text)
    except MalformedRcFile as error:
        return [RcFault(True, f"{error}; every provisioning fails with status 500 until it is corrected")]
    found = [*_repeated(text), *_of_numbers(sections)]
    has_server = any(one.name == "proxy_default_values" and one.get("reg_proxy") for one in sections)
    for section in sections:
        found += [*_of_names(section), *_of_values(section), *_of_account(section, has_server=has_server)]
    return found


def _kind(name: str) -> str:
    return _NUMBERED.sub("", name)


def _like(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _of_names(section: Section) -> Iterator[RcFault]:
    kind = _kind(section.name)
    if kind not in _SECTIONS:
        yield RcFault(False, f"[{section.name}] is no section that phones are known to read{_like(kind, _SECTIONS)}")
        return
    known = _KEYS.get(kind)
    for entry in section.entries if known else ():
        if known and entry.name not in known:
            text = f"[{section.name}] {entry.name} is no key that phones are known to read there"
            yield RcFault(False, f"{text}{_like(entry.name, known)}")


def _of_values(section: Section) -> Iterator[RcFault]:
    for entry in section.entries:
        place = f"[{section.name}] {entry.name}"
        if entry.value.strip().lower() in _WORDS:
            yield RcFault(False, f"{place}: phones read 1 and 0, not `{entry.value.strip()}`")
        if "linphone-config:" in entry.value:
            yield RcFault(
                True,
                f"{place}: phones fetch http:// and https:// alone. `linphone-config:` belongs before a link that "
                "opens the app (account.app_link_prefix), and neither here nor in a QR code",
            )
        if section.name == "misc" and entry.name == "contacts-vcard-list":
            yield RcFault(
                False, f"{place} takes the place of the list of contacts that this server has for each account"
            )


def _of_account(section: Section, *, has_server: bool) -> Iterator[RcFault]:
    kind, name = _kind(section.name), section.name
    server, identity = section.get("reg_proxy"), section.get("reg_identity")
    if kind in ("proxy", "proxy_default_values") and server and not _SERVER.fullmatch(server.strip()):
        yield RcFault(True, f"[{name}] reg_proxy must be a SIP URI, such as <sip:sip.example.org;transport=tls>")
    if name == "proxy_0" and identity:
        yield RcFault(True, f"[{name}] reg_identity takes the place of the identity of every account; remove it")
    if name == "proxy_0" and not server and not has_server:
        yield RcFault(
            False,
            f"[{name}] has no reg_proxy: it is made from account.proxy_registrar_address, or from the domain and TLS",
        )
    if kind == "proxy" and name not in ("proxy", "proxy_0") and not identity:
        yield RcFault(False, f"[{name}] has no reg_identity: it is sent only to accounts with an external account")
    if kind == "auth_info" and (section.get("passwd") or section.get("ha1")):
        yield RcFault(True, f"[{name}] gives every phone the same credentials; provisioning has those of each account")


def _of_numbers(sections: list[Section]) -> Iterator[RcFault]:
    """Find gaps: phones stop reading numbered sections at the first one that is missing."""
    names = {section.name for section in sections}
    for kind in ("auth_info", "remote_contact_directory", "nat_policy"):
        numbers = sorted(int(name.rpartition("_")[2]) for name in names if re.fullmatch(rf"{kind}_[0-9]+", name))
        if numbers != list(range(len(numbers))):
            yield RcFault(True, f"[{kind}_N] must be numbered from 0 without gaps, not {', '.join(map(str, numbers))}")


def _repeated(text: str) -> Iterator[RcFault]:
    """Find keys that stand twice in a section, of which the later one counts."""
    seen: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip()
        if content.startswith("["):
            section = content[1:].partition("]")[0].strip()
        elif content and content[0] not in "#;":
            key = content.partition("=")[0].strip()
            if (section, key) in seen:
                before = seen[section, key]
                yield RcFault(
                    False, f"[{section}] {key} stands in line {before} and in line {number}: the later one counts"
                )
            seen[section, key] = number
