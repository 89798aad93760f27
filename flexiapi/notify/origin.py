"""Source locations of faults in plugins, for the plugin's author."""

import importlib
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flexiapi.plugin import DeliveryError

# Frames of these are in every traceback and never the place of the fault.
_OWN_FRAMES = (str(Path(__file__).parent), str(Path(importlib.__file__).parent), "<frozen importlib")


def raised_at(error: BaseException, otherwise: Any = None) -> str:
    """Return the file and line that raised, or those of `otherwise`, a class or function, if no plugin code ran."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(_OWN_FRAMES):
            return f"{frame.filename}:{frame.lineno}"
    return defined_at(otherwise)


def defined_at(what: type[Any] | Callable[..., Any]) -> str:
    """Return the file and line of a class or function."""
    try:
        return f"{inspect.getfile(what)}:{inspect.getsourcelines(what)[1]}"
    except (OSError, TypeError):
        return "an unknown place"


def told(error: Exception, start: Callable[..., Any]) -> str:
    """Return why a start failed: a text written for operators, never that of an arbitrary exception."""
    if isinstance(error, DeliveryError):
        return error.reason
    if isinstance(error, OSError | ValueError):
        return f"{error}"
    return f"{type(error).__name__} at {raised_at(error, start)}"
