"""Sections of directories: `remote_contact_directory_N`, by which liblinphone searches a CardDAV server."""

from collections.abc import Iterable, Iterator

from flexiapi.provisioning.document import Entry, Section
from flexiapi.settings import DirectorySettings

PREFIX = "remote_contact_directory_"


def sections_of(directories: Iterable[DirectorySettings], file: Iterable[Section]) -> Iterator[Section]:
    """Return the section of each directory, numbered after those of the base file."""
    first = sum(section.name.startswith(PREFIX) for section in file)
    for number, directory in enumerate(directories, first):
        yield Section(f"{PREFIX}{number}", [Entry(name, value) for name, value in _entries(directory) if value])


def _entries(directory: DirectorySettings) -> Iterator[tuple[str, str]]:
    yield "enabled", _flag(on=directory.enabled)
    yield "type", "carddav"
    yield "uri", directory.uri
    for name in ("min_characters", "results_limit", "timeout", "delay"):
        yield name, str(getattr(directory, name))
    yield "carddav_fields_for_user_input", ",".join(directory.fields_for_user_input)
    yield "carddav_fields_for_domain", ",".join(directory.fields_for_domain)
    yield "carddav_use_exact_match_policy", _flag(on=directory.use_exact_match_policy)


def _flag(*, on: bool) -> str:
    return "1" if on else "0"
