"""Views of account recovery."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from flexiapi.api.views.accounts import AdminView, ListedAccount, PublicInfo
from flexiapi.model import Account, Password

Ha1 = Annotated[str, Field(examples=["e5af702318b3aa097ed62a9f534bf3acb8a5aed91641970fba2bf18e3814fc9b"])]


@dataclass(kw_only=True)
class PhoneInfo(PublicInfo):
    """The public information about a phone number."""

    phone: bool


@dataclass(kw_only=True)
class StoredPasswordView:
    """A stored password hash. It is worth as much as the password."""

    algorithm: str
    password: Ha1

    @classmethod
    def of(cls, password: Password) -> "StoredPasswordView":
        """Return the view of a password hash."""
        return cls(algorithm=password.algorithm, password=password.ha1)


@dataclass(kw_only=True)
class RecoveredAccount(ListedAccount):
    """An account whose owner has proved to own its phone number."""

    passwords: list[StoredPasswordView]
    admin: AdminView | None

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return {
            "passwords": [StoredPasswordView.of(item) for item in account.passwords],
            "admin": AdminView.of(account.admin_since) if account.admin_since else None,
        }
