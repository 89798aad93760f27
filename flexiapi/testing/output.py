"""Capture of everything that a process prints or logs."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO


class _Gathering(logging.Handler):
    def __init__(self, file: IO[str]) -> None:
        super().__init__(logging.WARNING)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        self._file.write(f"{self.format(record)}\n")


class Output:
    """The text that was printed or logged; complete after the block of `captured_output`."""

    text = ""


@contextmanager
def captured_output() -> Iterator[Output]:
    """Capture what the block prints, its child processes included, and what it logs as the server would show it."""
    output = Output()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        handler = _Gathering(file)
        logging.root.addHandler(handler)
        try:
            with redirect_stdout(file), redirect_stderr(file), _descriptors_to(file.fileno()):
                yield output
                file.flush()
        finally:
            logging.root.removeHandler(handler)
            file.seek(0)
            output.text = file.read()


@contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()  # type: ignore[union-attr]  # a process may have no such stream
    saved = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in saved:
            os.dup2(target, number)
        yield
    finally:
        for number, copy in saved.items():
            os.dup2(copy, number)
            os.close(copy)
