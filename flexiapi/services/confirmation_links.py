"""Links in the messages that confirm a new account."""

from urllib.parse import quote

from flexiapi.model import Account, Spaces
from flexiapi.settings import PanelSettings


class ConfirmationLinks:
    """Links to the page that does the same as typing the code of the message. Without the panel there are none."""

    def __init__(self, spaces: Spaces, settings: PanelSettings) -> None:
        self._spaces = spaces
        self._has_panel = settings.enabled

    def mailed(self, account: Account, key: str) -> str | None:
        """Return the link for an account and its key."""
        return self._of(account, quote(account.address, safe=""), key)

    def texted(self, account: Account, pin: str) -> str | None:
        """Return the link for an account and its PIN, without the domain where that is the one of the host."""
        own = self._spaces.of_domain(account.domain).domain
        name = account.username if account.domain == own else account.address
        return self._of(account, quote(name, safe="+@"), pin)

    def _of(self, account: Account, name: str, code: str) -> str | None:
        space = self._spaces.of_domain(account.domain)
        # Elsewhere, a code confirms only in a session.
        is_public = account.domain in space.names.public_domains
        return f"{space.url}/activate/{name}/{code}" if self._has_panel and is_public else None
