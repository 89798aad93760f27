"""The provisioning documents of this server, with and without an account."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from flexiapi.model import Account
from flexiapi.provisioning import account_sections, directory_sections
from flexiapi.provisioning.discovery import Hooks
from flexiapi.provisioning.document import HEAD, TAIL, Document, Entry, Section, encoded, overwriting, section_xml
from flexiapi.provisioning.hooks import HEADERS, ProvisioningRequest
from flexiapi.provisioning.rcfile import RcFile
from flexiapi.settings import DirectorySettings

_NONE: Mapping[str, str] = MappingProxyType({})


class ProvisioningSettings(Protocol):
    """The settings that documents depend on, of a space or of the section `[account]`."""

    @property
    def realm(self) -> str | None:
        """DIGEST realm; `None` for the account's domain."""

    @property
    def provisioning_rc_file(self) -> Path | None:
        """File that every document starts with."""

    @property
    def provisioning_overwrite_all(self) -> bool:
        """True if entries replace what a client has."""

    @property
    def proxy_registrar_address(self) -> str | None:
        """The SIP server of accounts; `None` for their domain."""

    @property
    def transport_protocol_text(self) -> str:
        """The transports of that server, in words."""


@dataclass(frozen=True, slots=True)
class _Base:
    """The part that all documents start with, rendered once per change of the base file.

    `alone` has the sections of a document without account, `rendered` those that are sent as they are, by identity.
    """

    file: tuple[Section, ...]
    sections: tuple[Section, ...]
    alone: tuple[Section, ...]
    rendered: Mapping[int, str]
    document: bytes
    first_proxy: int
    first_auth_info: int


class ProvisioningDocuments:
    """Renders documents and caches the base file's content.

    `contacts_url` is the absolute URL of the vCard list, which every client fetches after its provisioning. `ui` are
    entries of the section of that name, of which the base file's own win. `directories` are in documents of accounts
    alone: their addresses are for people of the service.
    """

    def __init__(
        self,
        settings: ProvisioningSettings,
        contacts_url: str,
        hooks: Hooks,
        ui: Iterable[tuple[str, str]] = (),
        directories: Iterable[DirectorySettings] = (),
    ) -> None:
        self._directories = tuple(directories)
        self._realm = settings.realm
        self._overwrite = settings.provisioning_overwrite_all
        self._server = settings.proxy_registrar_address
        self._transports = settings.transport_protocol_text
        self._file = RcFile(settings.provisioning_rc_file)
        self._contacts_url = contacts_url
        self._ui = tuple(ui)
        self._hooks = hooks
        self._last = self._rendered(())

    def base(self, query: Mapping[str, str] = _NONE, headers: Mapping[str, str] = _NONE) -> bytes:
        """Return the document for no account. Raises `ProvisioningFailed`.

        `headers` has names in lower case; hooks see some of them (`hooks.HEADERS`).
        """
        base = self._base()
        if not self._hooks.add_sections:
            return base.document
        return self._with_additional_sections(base.alone, _request(query, headers, None)).xml()

    def of(self, account: Account, query: Mapping[str, str] = _NONE, headers: Mapping[str, str] = _NONE) -> bytes:
        """Return the document of `account`, with the credentials that sign a device in. Raises `ProvisioningFailed`."""
        base = self._base()
        rendered = base.rendered
        sections = self._finished(base, account, _request(query, headers, account))
        return encoded([HEAD, *(rendered.get(id(each)) or section_xml(each) for each in sections), TAIL])

    def sections(self, account: Account) -> Sequence[Section]:
        """Return the sections of the document of `account`, which must not be changed. Raises `ProvisioningFailed`."""
        return self._finished(self._base(), account, _request(_NONE, _NONE, account))

    def _finished(self, base: _Base, account: Account, request: ProvisioningRequest) -> list[Section]:
        merged = {section.name: section for section in self._account_sections(base, account, request)}
        sections = [
            _merged(section, merged.pop(section.name)) if section.name in merged else section
            for section in base.sections
            if section.name in merged or not account_sections.is_unfinished(section)
        ]
        sections += merged.values()
        if self._hooks.add_sections:
            sections = self._with_additional_sections(sections, request).sections
        self._complete(sections, base, account)
        return sections

    def _base(self) -> _Base:
        file = self._file.sections()
        if file is not self._last.file:
            self._last = self._rendered(file)
        return self._last

    def _rendered(self, file: tuple[Section, ...]) -> _Base:
        misc = Section("misc")
        misc.add("contacts-vcard-list", self._contacts_url)
        sections = tuple(self._marked((*file, misc, *self._of_ui(file))))
        rendered = {id(section): section_xml(section) for section in sections}
        names = [section.name for section in file]
        first_proxy = sum(name.startswith("proxy_config_") for name in names)
        held_back = {"proxy_0", f"proxy_{first_proxy}"}
        alone = tuple(each for each in sections if not (each.name in held_back or account_sections.is_unfinished(each)))
        return _Base(
            file=file,
            sections=sections,
            alone=alone,
            rendered=rendered,
            document=encoded([HEAD, *(rendered[id(section)] for section in alone), TAIL]),
            first_proxy=first_proxy,
            first_auth_info=sum(name.startswith("auth_info_") for name in names),
        )

    def _of_ui(self, file: tuple[Section, ...]) -> Iterable[Section]:
        """Return the section `ui` with what the base file has not, none if nothing is left."""
        known = {entry.name for section in file if section.name == "ui" for entry in section.entries}
        entries = [Entry(name, value) for name, value in self._ui if name not in known]
        return [Section("ui", entries)] if entries else []

    def _account_sections(self, base: _Base, account: Account, request: ProvisioningRequest) -> Iterable[Section]:
        hooks = self._hooks
        proxy = account_sections.proxy(
            base.first_proxy, account, lambda section: hooks.proxy(section, request, account)
        )
        auth_infos = account_sections.auth_infos(
            base.first_auth_info,
            account,
            self._realm or account.domain,
            lambda section, password: hooks.auth(section, request, password),
        )
        sections = [proxy, *auth_infos, *directory_sections.sections_of(self._directories, base.file)]
        if account.external_account is not None:
            next_auth_info = base.first_auth_info + len(auth_infos)
            sections += account_sections.external(base.first_proxy + 1, next_auth_info, account.external_account)
        return self._marked(sections)

    def _complete(self, sections: list[Section], base: _Base, account: Account) -> None:
        """Give the accounts of a finished document what liblinphone needs to make them."""
        server = account_sections.registrar(self._server, self._transports, account.domain)
        entry = Entry(account_sections.REGISTRAR, server, self._overwrite)
        account_sections.complete(sections, f"proxy_{base.first_proxy}", entry)
        external = account.external_account
        if external is not None:
            server = account_sections.registrar(None, "", external.domain)
            entry = Entry(account_sections.REGISTRAR, server, self._overwrite)
            account_sections.complete(sections, f"proxy_{base.first_proxy + 1}", entry, elsewhere=True)

    def _with_additional_sections(self, sections: Iterable[Section], request: ProvisioningRequest) -> Document:
        # Hooks may change the sections, and those of the base file are shared by all answers.
        document = Document([Section(section.name, list(section.entries)) for section in sections])
        self._hooks.additional_section(document, request, request.account)
        document.sections = list(self._marked(document.sections))
        return document

    def _marked(self, sections: Iterable[Section]) -> Iterable[Section]:
        if not self._overwrite:
            return sections
        return [Section(section.name, overwriting(section.entries)) for section in sections]


def _request(query: Mapping[str, str], headers: Mapping[str, str], account: Account | None) -> ProvisioningRequest:
    shown = {name: headers[name] for name in HEADERS if name in headers}
    return ProvisioningRequest(MappingProxyType(dict(query)), MappingProxyType(shown), account)


def _merged(section: Section, later: Section) -> Section:
    merged = Section(section.name, list(section.entries))
    merged.merge(later.entries)
    return merged
