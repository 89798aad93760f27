"""Files that pages of the panel load: the stylesheet and the script."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

_VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """A file; its `version` changes with its content, so that browsers may keep it for ever."""

    name: str
    body: bytes = field(repr=False)
    version: str

    @property
    def path(self) -> str:
        """The path that pages load it from, below the root."""
        return f"/assets/{self.name}?v={self.version}"


@dataclass(frozen=True, slots=True)
class Assets:
    """The files, the operator's before the built-in ones."""

    stylesheet: Asset
    script: Asset

    @classmethod
    def of(cls, folders: Sequence[Path]) -> Self:
        """Read the files in folders of templates. Raises `OSError`."""
        return cls(_asset(folders, "panel.css"), _asset(folders, "panel.js"))


def _asset(folders: Sequence[Path], name: str) -> Asset:
    places = [folder / "panel" / name for folder in folders]
    body = next((place for place in places if place.is_file()), places[-1]).read_bytes()
    return Asset(name, body, sha256(body).hexdigest()[:_VERSION_LENGTH])
