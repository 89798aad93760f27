"""Links in the mails that confirm a new account."""

from urllib.parse import quote

from flexiapi.model import Account, Spaces
from flexiapi.settings import PanelSettings


class ConfirmationLinks:
    """Links to the page that does the same as typing the code of the mail. Without the panel there are none."""

    def __init__(self, spaces: Spaces, settings: PanelSettings) -> None:
        self._spaces = spaces
        self._has_panel = settings.enabled

    def of(self, account: Account, key: str) -> str | None:
        """Return the link for an account and its key."""
        if not self._has_panel:
            return None
        return f"{self._spaces.of_domain(account.domain).url}/activate/{quote(account.address)}/{key}"
