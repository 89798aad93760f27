"""The command that makes the first administrator, for the page on which none can sign in yet."""

import shlex
import sys
from pathlib import Path

_SERVE = "serve"
_NAME = "first.admin"


def first_admin_command(domain: str | None) -> str:
    """Return the command, with the program and the options that the server was started with.

    `domain` is that of a table `[spaces."DOMAIN"]`, `None` for the default space.
    """
    called = sys.argv[: sys.argv.index(_SERVE)] if _SERVE in sys.argv[1:] else ["flexiapi"]
    if Path(called[0]).name == "__main__.py":
        called[:1] = [sys.executable, "-m", "flexiapi"]
    of_domain = [] if domain is None else ["--domain", domain]
    return shlex.join([*called, "accounts", "create-admin", _NAME, "--generate", *of_domain])
