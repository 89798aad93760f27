"""Languages of messages: which there are of each, in the operator's folder and in that of the built-in templates.

A template of a language is in a folder with its tag, `fr/mail/NAME.txt`. Those outside of such folders are in the
language of the domain's setting if they are the operator's, and in English if they are built in.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from jinja2 import Environment, TemplateError, meta

from flexiapi.language_tags import chain, is_tag, matched, spelt

BUILT_IN = "en"
FOLDERS = ("mail/", "sms/")
_KINDS = ("mail", "sms", "pages", "panel", "docs")
_SUFFIXES = (".txt", ".html")
_PARTS = (".subject.txt", ".txt", ".html")
_USUAL = ""


class Translations:
    """The languages of the messages in folders of templates, of which the last one is the built-in.

    A message that the operator wrote, and did not translate, is sent to all as he wrote it: no built-in translation
    takes its place. So one message has one language, whatever the others have. `languages` are the tags that have
    folders, and that of the built-in templates, or those of them that are in `only`: others serve a domain at most.
    """

    def __init__(self, folders: Sequence[Path], only: Sequence[str] = ()) -> None:
        self._folders = folders
        self._own = _messages(folders[0]) if len(folders) > 1 else {}
        self._built_in = _messages(folders[-1])
        found = {tag for messages in (self._own, self._built_in) for tags in messages.values() for tag in tags}
        there = found - {_USUAL} | {BUILT_IN}
        self.languages = frozenset(there.intersection(only) if only else there)

    def language(self, message: str, wanted: Sequence[str], usual: str) -> tuple[str, str]:
        """Return the languages of the templates of a message, such as `mail/email.change`, and of what they make.

        They are the first of those that are wanted, else that of the domain. The second is more exact if that was asked
        for.
        """
        own = self._own.get(message, frozenset())
        if _USUAL in own:
            available = own - {_USUAL} | {usual}
            last = usual
        else:
            available = own | self._built_in.get(message, frozenset()) - {_USUAL} | {BUILT_IN}
            last = BUILT_IN
        if (found := matched(wanted, available & (self.languages | {usual}))) is not None:
            return found, found
        found = matched([usual], available) or last
        return found, usual if found in chain(usual) else found

    def places(self, language: str) -> list[Path]:
        """Return the folders in which the templates of a language are looked for, the first ones first."""
        return [place for folder in self._folders for place in (*(folder / tag for tag in chain(language)), folder)]

    def doubts(self) -> Iterator[str]:
        """Yield what is probably a mistake in the operator's folder: files that nothing uses, and mails in part."""
        if len(self._folders) == 1:
            return
        own, built_in = self._folders[0], self._folders[-1]
        used = {path.relative_to(built_in).as_posix() for kind in _KINDS for path in (built_in / kind).rglob("*")}
        used |= set(_referred(own))
        for path in sorted(one for one in own.rglob("*") if one.suffix in _SUFFIXES):
            place = path.relative_to(own).as_posix()
            language, _, rest = place.partition("/")
            is_translated = _is_language(language) and rest.startswith(FOLDERS)
            if (rest if is_translated else place) not in used and place not in used:
                yield f"nothing uses {path}: its place or its name is not that of a template"
        for message, tags in sorted(self._own.items()):
            for tag in sorted(tags - {_USUAL}):
                yield from self._lacking(message, tag)

    def _lacking(self, message: str, tag: str) -> Iterator[str]:
        """Yield the parts of a mail that have no template of its language."""
        if not message.startswith("mail/"):
            return
        own, built_in = self._folders[0], self._folders[-1]
        own_places = [own / one for one in chain(tag)]
        others = [built_in / one for one in chain(tag)] + ([built_in] if tag == BUILT_IN else [])
        for part in _PARTS:
            name = f"{message}{part}"
            if _is_in(own_places, name) or (_is_in(others, name) and not (own / name).is_file()):
                continue
            yield f"{own / tag / name} is missing: that part of the mail is in another language"


def _is_in(places: Sequence[Path], name: str) -> bool:
    return any((place / name).is_file() for place in places)


def _referred(folder: Path) -> Iterator[str]:
    """Yield the templates that those of a folder include, import or extend. Broken ones are told of elsewhere."""
    environment = Environment(autoescape=True)
    for path in folder.rglob("*"):
        if path.suffix in _SUFFIXES:
            with contextlib.suppress(OSError, UnicodeDecodeError, TemplateError):
                found = meta.find_referenced_templates(environment.parse(path.read_text("utf-8")))
                yield from (name for name in found if name is not None)


def _messages(folder: Path) -> dict[str, frozenset[str]]:
    """Return the languages that each message of a folder has; the usual one is the empty text."""
    found: dict[str, set[str]] = {}
    tags = [_USUAL, *(one.name for one in folder.iterdir() if one.is_dir() and _is_language(one.name))]
    for tag in tags:
        for kind in FOLDERS:
            for path in (folder / tag / kind).glob("*"):
                name = next((path.name.removesuffix(part) for part in _PARTS if path.name.endswith(part)), None)
                if name is not None and name != "layout":
                    found.setdefault(f"{kind}{name}", set()).add(tag)
    return {message: frozenset(found_tags) for message, found_tags in found.items()}


def _is_language(name: str) -> bool:
    """Return whether a folder is that of a language: its name is a tag, as it is usually spelt."""
    return is_tag(name) and name == spelt(name) and name not in _KINDS
