"""Bodies of requests, of fixed length or chunked: how much of what has arrived belongs to them."""

from typing import Protocol

from flexiapi.server.http1.head import RequestReader
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http1.refusal import RefusedRequest

_MOST_EXTENSION_BYTES = 256
# Hexadecimal digits of the size of a chunk: as many as llhttp counts with.
_MOST_SIZE_DIGITS = 16
_LINE_END = 2


class Body(Protocol):
    """The part of a request after its head."""

    @property
    def is_complete(self) -> bool:
        """True if all of it has been read."""

    def take(self, data: bytes) -> tuple[bytes, int]:
        """Read on. Return the content, and how many bytes were used; others follow the body.

        Raises `RefusedRequest`.
        """


class FixedBody:
    """A body whose length the head tells."""

    __slots__ = ("_left", "_reader")

    def __init__(self, reader: RequestReader, length: int) -> None:
        self._reader = reader
        self._left = length

    @property
    def is_complete(self) -> bool:
        """True if all of it has been read."""
        return not self._left

    def take(self, data: bytes) -> tuple[bytes, int]:
        """Read on."""
        piece = data[: self._left]
        self._left -= len(piece)
        self._reader.feed(piece)
        return _content(self._reader), len(piece)


class ChunkedBody:
    """A chunked body, fed to llhttp chunk by chunk: it limits neither the extensions nor the trailer."""

    __slots__ = ("_is_trailer", "_left", "_limits", "_line", "_reader", "_size", "most_bytes")

    def __init__(self, reader: RequestReader, limits: HttpLimits, most_bytes: int) -> None:
        self._reader = reader
        self._limits = limits
        self.most_bytes = most_bytes
        self._size = 0
        # What is left of a chunk with the end of its last line; between chunks 0.
        self._left = 0
        # The line of a size as far as it has arrived, or the whole trailer.
        self._line = bytearray()
        self._is_trailer = False
        reader.sink.is_complete = False

    @property
    def is_complete(self) -> bool:
        """True if all of it has been read."""
        return self._reader.sink.is_complete

    def take(self, data: bytes) -> tuple[bytes, int]:
        """Read on. Raises `RefusedRequest` for a body, an extension or a trailer over its limit."""
        place = 0
        while place < len(data) and not self.is_complete:
            if self._left:
                piece = data[place : place + self._left]
                self._left -= len(piece)
                self._reader.feed(piece)
            else:
                piece = data[place : data.find(b"\n", place) + 1 or len(data)]
                self._take_line(piece)
            place += len(piece)
        content = _content(self._reader)
        if self.is_complete and len(self._line) > _LINE_END:
            # llhttp heeds a `Connection: close` in the trailer, and would refuse the next request.
            self._reader.begin_anew()
        return content, place

    def _take_line(self, piece: bytes) -> None:
        self._line += piece
        if self._is_trailer:
            if len(self._line) > self._limits.header_bytes:
                raise RefusedRequest(f"The trailer is longer than {self._limits.header_bytes} bytes.", 431)
            self._reader.feed(piece)
            return
        size, separator, extension = bytes(self._line).rstrip(b"\r\n").partition(b";")
        if len(size) > _MOST_SIZE_DIGITS or len(separator + extension) > _MOST_EXTENSION_BYTES:
            raise RefusedRequest("The size or extension of a chunk is too long.")
        self._reader.feed(piece)
        if piece.endswith(b"\n"):
            self._line.clear()
            # llhttp has taken the line, so this is a number.
            self._begin_chunk(int(size, 16))

    def _begin_chunk(self, size: int) -> None:
        if size == 0:
            self._is_trailer = True
            return
        self._size += size
        if self._size > self.most_bytes:
            raise RefusedRequest(f"The body is longer than {self.most_bytes} bytes.", 413)
        self._left = size + _LINE_END


def _content(reader: RequestReader) -> bytes:
    pieces = reader.sink.pieces
    if not pieces:
        return b""
    content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    pieces.clear()
    return content
