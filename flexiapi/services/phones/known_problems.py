"""Known problems of apps with provisioning, by version of liblinphone.

Each was seen with that release, or read in its sources.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from flexiapi.rendering.catalogues import marked

_VERSION = re.compile(r"(?:LinphoneSDK|Liblinphone|liblinphone|linphone-daemon|linphonec)/([0-9]{1,4})\.([0-9]{1,4})")


class KnownProblem(NamedTuple):
    """A problem of the versions from `first` up to, but not with, `fixed`. English text."""

    first: tuple[int, int]
    fixed: tuple[int, int]
    text: str


_NEVER = (9999, 0)
PROBLEMS: Sequence[KnownProblem] = (
    KnownProblem(
        (0, 0),
        (5, 3),
        marked("It does not send X-Linphone-Provisioning, so account.provisioning_header_required keeps it out."),
    ),
    KnownProblem((0, 0), (5, 3), marked("It does not follow redirections.")),
    KnownProblem((0, 0), (5, 3), marked("It takes any answer for the list of contacts, also a failure.")),
    KnownProblem(
        (5, 3), (5, 4), marked("It takes no default values for accounts, which are therefore sent with the account.")
    ),
    KnownProblem(
        (5, 4), _NEVER, marked("It forgets all credentials before it applies a document, also one without an account.")
    ),
)


def problems_of(user_agent: str) -> list[str]:
    """Return the known problems of a program by its user agent; none of one that names no version of liblinphone."""
    found = _VERSION.search(user_agent)
    if found is None:
        return []
    version = (int(found[1]), int(found[2]))
    return [one.text for one in PROBLEMS if one.first <= version < one.fixed]
