"""Where the files are that lie outside the package: templates and configuration."""

import sysconfig
from pathlib import Path


def shared(folder: str) -> Path:
    """The folder `templates` or `config`: of a checkout if this is one, else of the installation."""
    checkout = Path(__file__).resolve().parent.parent / folder
    if checkout.is_dir():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "flexiapi" / folder
