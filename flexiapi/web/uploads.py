"""Uploads: bodies that are read while they arrive, and the file in a multipart form."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Self

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from flexiapi.errors import BodyTooLarge, UploadAborted, ValidationFailed

_MOST_HEADER_BYTES = 4096


class BodyStream:
    """The body of a request, piece by piece. The client waits while nothing is read."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._left = most_bytes
        self._piece = b""
        self._is_over = self._is_lost = False
        self._arrived = asyncio.Event()
        self.wanted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the reader waits for the next piece."""

    def is_exceeded_by(self, headers: Mapping[str, str]) -> bool:
        """Return whether the headers announce more bytes than allowed."""
        length = headers.get("Content-Length", "")
        return length.isdecimal() and int(length) > self._most_bytes

    def put(self, piece: bytes) -> "asyncio.Future[None]":
        """Hand over a piece. Return the future that is done when another one is wanted."""
        if self._is_lost:
            return self.wanted
        self._left -= len(piece)
        self._piece += piece
        self.wanted = asyncio.get_running_loop().create_future()
        self._arrived.set()
        return self.wanted

    def end(self) -> None:
        """Note that the body is complete."""
        self._is_over = True
        self._arrived.set()

    def lose(self) -> None:
        """Note that the rest of the body does not come, or is not read any more."""
        self._is_lost = True
        self._arrived.set()
        self._want()

    def _want(self) -> None:
        if not self.wanted.done():
            self.wanted.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece. Raises `BodyTooLarge`, and `UploadAborted` if the client has gone."""
        while not self._piece and not self._is_over:
            if self._is_lost:
                raise UploadAborted
            self._arrived.clear()
            self._want()
            await self._arrived.wait()
        if self._left < 0:
            raise BodyTooLarge
        piece, self._piece = self._piece, b""
        if not piece:
            raise StopAsyncIteration
        return piece


async def single_file(content_type: str, body: AsyncIterator[bytes], field: str = "file") -> AsyncIterator[bytes]:
    """Yield the content of the one file in a form (RFC 7578), whose name is ignored.

    Raises `ValidationFailed` if the body is damaged, or another form, and what reading the body does.
    """
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise _refused(field, f"must come as multipart/form-data, in a part with the name {field}")
    try:
        parser = PushMultipartParser(
            options["boundary"], max_segment_count=1, max_header_size=_MOST_HEADER_BYTES, header_charset="latin-1"
        )
        async for piece in body:
            for event in parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    _check(event, field)
                elif event:
                    yield bytes(event)
        parser.close()
    except MultipartError as error:
        raise _refused(field, "is not complete, or its form is damaged") from error


def _check(part: MultipartSegment, field: str) -> None:
    if part.name != field:
        raise _refused(field, f"must come in a part with the name {field}")


def _refused(field: str, text: str) -> ValidationFailed:
    return ValidationFailed({field: [f"{field} {text}"]})
