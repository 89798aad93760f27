"""The application key: derived keys, seals at rest and the texts in them, random tokens and their hashes."""

import contextlib
import hmac
import os
import secrets
import string
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flexiapi.errors import ConfigurationError, SealBroken
from flexiapi.observing import log

ALPHABET = string.ascii_letters + string.digits
# Of random bytes those are left out that would make some letters more frequent than others.
_UNEVEN = bytes(range(256 - 256 % len(ALPHABET), 256))
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_FILE = "application.key"
_KEY_BYTES = 32
_IV_BYTES = 12


def random_text(length: int) -> str:
    """Return a token of letters and digits from the system's random source."""
    text = b""
    while len(text) < length:
        text += secrets.token_bytes(2 * length).translate(_LETTERS, _UNEVEN)
    return text[:length].decode()


def token_hash(token: str, space: str | None = None) -> bytes:
    """Return the hash under which a token is stored that is never shown again.

    A token of another space than the default one is hashed under the name of the space, so that no text that is sent to
    one space has the hash of a token of another.
    """
    if space is None:
        return sha256(token.encode()).digest()
    return hmac.digest(space.encode(), token.encode(), "sha256")


def load_or_create(folder: Path) -> str:
    """Return the application key of the data folder, made at the first start and readable by its owner only."""
    path = folder / _FILE
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create(path)
    return path.read_text().strip()


def _create(path: Path) -> None:
    """Make the file atomically; if two processes make it at once, the first one's stays."""
    descriptor, name = tempfile.mkstemp(prefix=f"{_FILE}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(_KEY_BYTES))
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
        _sync(path.parent)
    finally:
        Path(name).unlink()


def _sync(folder: Path) -> None:
    """Flush a folder to disk: after a power failure the key must be there, or nothing sealed could be read again."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ApplicationKey:
    """Derives a key per purpose (HMAC-SHA-256 over its name), and seals stored values (AES-256-GCM).

    `previous` keys still open the seals made with them; new seals are always made with the current key.
    """

    def __init__(self, key: str, previous: Sequence[str] = ()) -> None:
        if len(key.encode()) < _KEY_BYTES // 2:
            raise ConfigurationError("app.key (APP_KEY) is too short: use at least 32 random characters.")
        self._key = key.encode()
        self._previous = [text.encode() for text in previous]
        seals = [AESGCM(_derived(text.encode(), "seal")) for text in (key, *previous)]
        self._seal = seals[0]
        self._openers = seals

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for a purpose."""
        return _derived(self._key, purpose)

    def fingerprint(self) -> str:
        """Return a non-reversible identifier of the key."""
        return self.derive("fingerprint").hex()[:16]

    def previous_fingerprints(self) -> list[str]:
        """Return the identifiers of the previous keys."""
        return [_derived(key, "fingerprint").hex()[:16] for key in self._previous]

    def seal(self, text: str, bound_to: str) -> bytes:
        """Encrypt a text; opening it needs the same `bound_to`."""
        iv = os.urandom(_IV_BYTES)
        return iv + self._seal.encrypt(iv, text.encode(), bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> str:
        """Decrypt a sealed text. Raises `SealBroken` if no known key fits."""
        for opener in self._openers:
            try:
                return opener.decrypt(sealed[:_IV_BYTES], sealed[_IV_BYTES:], bound_to.encode()).decode()
            except (InvalidTag, ValueError, TypeError):
                continue
        raise SealBroken("The application key does not open what the database holds: set APP_KEY to the right one.")


class SealedText:
    """A text that stays sealed until it is used. It equals the text.

    Attributes:
        found_by: SHA-256 of the text, by which it is looked up and compared; empty for one that never is.
    """

    __slots__ = ("_bound_to", "_key", "_sealed", "_text", "found_by")

    def __init__(self, key: ApplicationKey, sealed: bytes, bound_to: str, found_by: bytes = b"") -> None:
        self._key = key
        self._sealed = sealed
        self._bound_to = bound_to
        self._text: str | None = None
        self.found_by = found_by

    def sealed(self, bound_to: str) -> bytes | None:
        """Return the seal, `None` if it is bound to something else."""
        return self._sealed if bound_to == self._bound_to else None

    def open(self) -> str:
        """Return the text. Raises `SealBroken`."""
        if self._text is None:
            self._text = self._key.open(self._sealed, self._bound_to)
        return self._text

    def read(self) -> str | None:
        """Return the text, `None` if its seal does not open, which costs its holder this one value and is logged."""
        try:
            return self.open()
        except SealBroken:
            log.error("a seal does not open", of=self._bound_to)
            return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str | SealedText):
            return NotImplemented
        mine, theirs = self.read(), other if isinstance(other, str) else other.read()
        return None not in (mine, theirs) and hmac.compare_digest(str(mine).encode(), str(theirs).encode())

    def __hash__(self) -> int:
        return hash(self.read())


Secret = str | SealedText
"""A text that is kept sealed at rest: as it was made, or as it was read."""


def opened(secret: Secret) -> str:
    """Return the text of a secret. Raises `SealBroken`."""
    return secret if isinstance(secret, str) else secret.open()


def readable(secret: Secret) -> str | None:
    """Return the text of a secret, `None` if its seal does not open."""
    return secret if isinstance(secret, str) else secret.read()


def found_by(secret: Secret) -> bytes:
    """Return the SHA-256 by which a secret is looked up and compared."""
    return token_hash(secret) if isinstance(secret, str) else secret.found_by


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, f"flexiapi/{purpose}".encode(), "sha256")
