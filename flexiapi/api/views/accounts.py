"""Views of accounts, their types and actions, and the forms of values that other views share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, PlainSerializer, WithJsonSchema

from flexiapi.crypto.keys import Secret, readable
from flexiapi.model import Account, AccountType, Action, ActivationExpiration, AsContact, PendingChange, Types

Moment = Annotated[
    datetime,
    PlainSerializer(lambda moment: f"{moment.isoformat(timespec='microseconds')[:26]}Z", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2023-07-04T14:35:21.000000Z"]}),
]
PlainMoment = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.replace(tzinfo=None).isoformat(" ", "seconds"), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2040-12-12 12:12:12"]}),
]
AccountId = Annotated[int, Field(examples=[12])]
Activated = Annotated[bool, Field(examples=[True])]
NotActivated = Annotated[bool, Field(examples=[False])]
Address = Annotated[str, Field(examples=["192.0.2.10"])]
Agent = Annotated[str, Field(examples=["LinphoneAndroid/5.2 (Pixel 8)"])]
UNREADABLE = "unreadable"
"""The text shown for a secret whose seal no application key opens."""
BlockReason = Annotated[str | None, Field(examples=[None])]
ProvisioningToken = Annotated[str | None, Field(examples=["7Ma0JzRtWg3kP"])]


@dataclass(frozen=True, slots=True)
class ViewData:
    """The realm (`None` when each domain is its own), the account types by id, and the realms of other spaces.

    With `email_unique` an active account shows only an address that it proved.
    """

    realm: str | None
    types: Types
    realms: Mapping[str, str | None] = field(default_factory=dict)
    email_unique: bool = False

    def email_of(self, account: Account) -> str | None:
        """Return the address that is shown of an account."""
        is_hidden = self.email_unique and account.activated and account.email == account.claimed_email
        return None if is_hidden else account.email

    def realm_of(self, account: AsContact) -> str | None:
        """Return the realm of the space that the account belongs to."""
        return self.realms.get(account.domain, self.realm) if self.realms else self.realm


@dataclass(kw_only=True)
class TypeView:
    """An account type."""

    id: Annotated[int, Field(examples=[1])]
    key: Annotated[str, Field(examples=["phone"])]

    @classmethod
    def of(cls, account_type: AccountType) -> "TypeView":
        """Return the view of a type."""
        return cls(id=account_type.id, key=account_type.key)

    @classmethod
    def all_of(cls, account: AsContact, types: Types) -> "list[TypeView]":
        """Return the views of the types of an account."""
        return [cls.of(account_type) for account_type in types.get(account.id, ())]


@dataclass(kw_only=True)
class ActionView:
    """An action."""

    id: Annotated[int, Field(examples=[5])]
    key: str
    code: Annotated[str, Field(examples=["1234"])]

    @classmethod
    def of(cls, action: Action) -> "ActionView":
        """Return the view of an action."""
        return cls(id=action.id, key=action.key, code=action.code)

    @classmethod
    def all_of(cls, account: AsContact) -> "list[ActionView]":
        """Return the views of the actions of an account; none without a DTMF protocol."""
        return [cls.of(action) for action in account.actions] if account.dtmf_protocol else []


@dataclass(kw_only=True)
class AlgorithmView:
    """A stored password, by its algorithm alone."""

    algorithm: str


@dataclass(kw_only=True)
class AdminView:
    """The administrator role."""

    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, since: datetime) -> "AdminView":
        """Return the view of the role of an administrator since the given time."""
        return cls(created_at=since, updated_at=since)


@dataclass(kw_only=True)
class ActivationExpirationView:
    """The end of the time in which an account may be activated."""

    id: Annotated[int, Field(examples=[3])]
    account_id: AccountId
    expires: PlainMoment
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, expiration: ActivationExpiration, account_id: int) -> "ActivationExpirationView":
        """Return the view of an expiration."""
        return cls(
            id=expiration.id,
            account_id=account_id,
            expires=expiration.expires,
            created_at=expiration.created_at,
            updated_at=expiration.updated_at,
        )


@dataclass(kw_only=True)
class EmailChangeView:
    """A change of address that waits for its code."""

    email: str
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, change: PendingChange) -> "EmailChangeView":
        """Return the view of a change, without its code."""
        return cls(email=change.target, created_at=change.requested_at, updated_at=change.requested_at)


@dataclass(kw_only=True)
class PublicInfo:
    """The public information about an account."""

    activated: Activated
    realm: str | None


@dataclass(kw_only=True)
class ListedAccount:
    """An account in a list."""

    id: AccountId
    username: str
    domain: str
    email: str | None
    activated: Activated
    ip_address: Address
    user_agent: Agent
    created_at: Moment
    updated_at: Moment
    display_name: str | None
    dtmf_protocol: str | None
    group: str | None
    realm: str | None
    phone: str | None
    confirmation_key_expires: Annotated[PlainMoment | None, Field(examples=[None])]
    activation_expiration: ActivationExpirationView | None
    email_change_code: EmailChangeView | None
    types: list[TypeView]
    actions: list[ActionView]
    sip_uri: Annotated[str, Field(examples=["sip:alice.martin@sip.example.org"])]
    blocked: Annotated[bool, Field(examples=[False])]
    dictionary: Annotated[dict[str, str], Field(examples=[{"customer": "C-1024"}])]

    @classmethod
    def of(cls, account: Account, data: ViewData) -> Self:
        """Return the view of an account."""
        expiration, change = account.activation_expiration, account.email_change
        return cls(
            id=account.id,
            username=account.username,
            domain=account.domain,
            email=data.email_of(account),
            activated=account.activated,
            ip_address=account.ip_address,
            user_agent=account.user_agent,
            created_at=account.created_at,
            updated_at=account.updated_at,
            display_name=account.display_name,
            dtmf_protocol=account.dtmf_protocol,
            group=account.group,
            realm=data.realm_of(account),
            phone=account.shown_phone,
            confirmation_key_expires=expiration.expires if expiration else None,
            activation_expiration=ActivationExpirationView.of(expiration, account.id) if expiration else None,
            email_change_code=EmailChangeView.of(change) if change else None,
            types=TypeView.all_of(account, data.types),
            actions=ActionView.all_of(account),
            sip_uri=f"sip:{account.address}",
            blocked=account.is_blocked,
            dictionary={entry.key: entry.value for entry in account.dictionary},
            **cls._more(account),
        )

    @classmethod
    def _more(cls, _account: Account) -> dict[str, Any]:
        """Return the values of the fields that a subclass adds."""
        return {}


@dataclass(kw_only=True)
class SingleAccount(ListedAccount):
    """An account as an administrator sees it. A named API key sees neither its key nor its token."""

    confirmation_key: str | None
    provisioning_token: ProvisioningToken
    block_reason: BlockReason

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return {**_secrets(account), "block_reason": account.block_reason}


@dataclass(kw_only=True)
class AccountView(ListedAccount):
    """An account as its user sees it."""

    passwords: list[AlgorithmView]
    admin: AdminView | None

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return _credentials(account)


@dataclass(kw_only=True)
class InactiveAccount(AccountView):
    """An account as its user sees it before its activation, and after its deactivation."""

    activated: NotActivated


@dataclass(kw_only=True)
class ProvisionedAccount(AccountView):
    """An account with the token that provisions it."""

    provisioning_token: ProvisioningToken

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return {**_credentials(account), "provisioning_token": _shown(account.provisioning_token)}


@dataclass(kw_only=True)
class WrittenAccount(AccountView):
    """An account as the administrator who wrote it sees it."""

    confirmation_key: str | None
    provisioning_token: ProvisioningToken

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return {**_credentials(account), **_secrets(account)}


@dataclass(kw_only=True)
class CreatedAccount(WrittenAccount):
    """An account as the administrator who created it sees it."""

    activated: NotActivated


def _credentials(account: Account) -> dict[str, Any]:
    return {
        "passwords": [AlgorithmView(algorithm=item.algorithm) for item in account.passwords],
        "admin": AdminView.of(account.admin_since) if account.admin_since else None,
    }


def _secrets(account: Account) -> dict[str, Any]:
    confirmation = account.confirmation
    return {
        "confirmation_key": _shown(confirmation.key if confirmation else None),
        "provisioning_token": _shown(account.provisioning_token),
    }


def _shown(secret: Secret | None) -> str | None:
    """Return the text of a secret, or a word in its place when its seal does not open."""
    return None if secret is None else (readable(secret) or UNREADABLE)
