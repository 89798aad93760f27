"""Where in a plugin something is wrong: what its author needs, and an operator who writes to them."""

import importlib
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Frames of these are in every trace, and never where the fault is.
_OF_THE_HOST = (str(Path(__file__).parent), str(Path(importlib.__file__).parent), "<frozen importlib")


def raised_at(error: BaseException, otherwise: Any = None) -> str:
    """File and line that raised; those of `otherwise`, a class or function, when it did not get that far."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(_OF_THE_HOST):
            return f"{frame.filename}:{frame.lineno}"
    return defined_at(otherwise)


def defined_at(what: type[Any] | Callable[..., Any]) -> str:
    """File and line of a class or function."""
    try:
        return f"{inspect.getfile(what)}:{inspect.getsourcelines(what)[1]}"
    except (OSError, TypeError):
        return "an unknown place"
