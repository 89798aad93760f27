"""What the API shows of its records."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from flexiapi.model import Account, AccountType, Action, ActivationExpiration, PendingChange

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
Types = Mapping[int, AccountType]
V = TypeVar("V", bound="View")
_UNUSED = (("pydantic_extra", None), ("pydantic_private", None))
AccountId = Annotated[int, Field(examples=[12])]
TypeId = Annotated[int, Field(examples=[1])]
TypeKey = Annotated[str, Field(examples=["phone"])]
ActionId = Annotated[int, Field(examples=[5])]
ActionCode = Annotated[str, Field(examples=["1234"])]
Ha1 = Annotated[str, Field(examples=["e5af702318b3aa097ed62a9f534bf3acb8a5aed91641970fba2bf18e3814fc9b"])]
Activated = Annotated[bool, Field(examples=[True])]
NotActivated = Annotated[bool, Field(examples=[False])]
Address = Annotated[str, Field(examples=["192.0.2.10"])]
Agent = Annotated[str, Field(examples=["LinphoneAndroid/5.2 (Pixel 8)"])]
ProvisioningToken = Annotated[str | None, Field(examples=["7Ma0JzRtWg3kP"])]


class View(BaseModel):
    """A JSON object of the API: every key is always there."""

    model_config = ConfigDict(frozen=True)


class AlgorithmView(View):
    """That a password is stored, and how."""

    algorithm: str


class StoredPasswordView(View):
    """A stored password hash; it is as good as the password."""

    algorithm: str
    password: Ha1


class AdminView(View):
    """Since when somebody administers."""

    created_at: Moment
    updated_at: Moment


class ActivationExpirationView(View):
    """Until when an account may be activated."""

    id: Annotated[int, Field(examples=[3])]
    account_id: AccountId
    expires: PlainMoment
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, expiration: ActivationExpiration, account_id: int) -> "ActivationExpirationView":
        """Show one."""
        return cls(
            id=expiration.id,
            account_id=account_id,
            expires=expiration.expires,
            created_at=expiration.created_at,
            updated_at=expiration.updated_at,
        )


class EmailChangeView(View):
    """A change of address that waits for its code."""

    email: str
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, change: PendingChange) -> "EmailChangeView":
        """Show one, without its code."""
        return cls(email=change.target, created_at=change.requested_at, updated_at=change.requested_at)


class TypeView(View):
    """An account type."""

    id: TypeId
    key: TypeKey

    @classmethod
    def of(cls, account_type: AccountType) -> "TypeView":
        """Show one."""
        return cls(id=account_type.id, key=account_type.key)


class ActionView(View):
    """An action."""

    id: ActionId
    key: str
    code: ActionCode

    @classmethod
    def of(cls, action: Action) -> "ActionView":
        """Show one."""
        return cls(id=action.id, key=action.key, code=action.code)


class PublicInfo(View):
    """What everybody may know of an account."""

    activated: Activated
    realm: str | None


class ContactView(View):
    """What somebody sees of a contact."""

    id: AccountId
    username: str
    domain: str
    activated: Activated
    dtmf_protocol: str | None
    realm: str | None
    phone: str | None
    confirmation_key_expires: None
    types: list[TypeView]
    actions: list[ActionView]


class ListedAccount(View):
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


class SingleAccount(ListedAccount):
    """An account as an administrator sees it."""

    confirmation_key: str | None
    provisioning_token: ProvisioningToken


class AccountView(ListedAccount):
    """An account as its user sees it."""

    passwords: list[AlgorithmView]
    admin: AdminView | None


class InactiveAccount(AccountView):
    """An account as its user sees it before its activation, and after its deactivation."""

    activated: NotActivated


class ProvisionedAccount(AccountView):
    """An account with the token that provisions it."""

    provisioning_token: ProvisioningToken


class WrittenAccount(ProvisionedAccount):
    """An account as the administrator who wrote it sees it."""

    confirmation_key: str | None


class CreatedAccount(WrittenAccount):
    """An account as the administrator who created it sees it."""

    activated: NotActivated


class RecoveredAccount(ListedAccount):
    """An account whose owner proved to have its phone."""

    passwords: list[StoredPasswordView]
    admin: AdminView | None


class Views:
    """Shows accounts; `realm` is that of the installation, `None` when each domain is its own."""

    def __init__(self, realm: str | None) -> None:
        self._realm = realm

    def info(self, activated: bool) -> PublicInfo:
        """View I."""
        return PublicInfo(activated=activated, realm=self._realm)

    def contact(self, account: Account, types: Types) -> ContactView:
        """View C."""
        return ContactView(
            id=account.id,
            username=account.username,
            domain=account.domain,
            activated=account.activated,
            dtmf_protocol=account.dtmf_protocol,
            realm=self._realm,
            phone=account.phone,
            confirmation_key_expires=None,
            types=_types(account, types),
            actions=_actions(account),
        )

    def listed(self, account: Account, types: Types) -> ListedAccount:
        """View L."""
        return _shown(ListedAccount, self._common(account, types))

    def single(self, account: Account, types: Types) -> SingleAccount:
        """View S."""
        return _shown(SingleAccount, {**self._common(account, types), **_secrets(account)})

    def user(self, account: Account, types: Types) -> AccountView:
        """View U."""
        return _shown(AccountView, {**self._common(account, types), **_credentials(account)})

    def inactive(self, account: Account, types: Types) -> InactiveAccount:
        """View U of an account that is not activated."""
        return _shown(InactiveAccount, {**self._common(account, types), **_credentials(account)})

    def provisioned(self, account: Account, types: Types) -> ProvisionedAccount:
        """View P."""
        common = {**self._common(account, types), **_credentials(account)}
        return _shown(ProvisionedAccount, {**common, "provisioning_token": account.provisioning_token})

    def written(self, account: Account, types: Types) -> WrittenAccount:
        """View A."""
        return _shown(WrittenAccount, self._written(account, types))

    def created(self, account: Account, types: Types) -> CreatedAccount:
        """View A of a new account."""
        return _shown(CreatedAccount, self._written(account, types))

    def _written(self, account: Account, types: Types) -> dict[str, Any]:
        return {**self._common(account, types), **_credentials(account), **_secrets(account)}

    def recovered(self, account: Account, types: Types) -> RecoveredAccount:
        """View R."""
        passwords = [StoredPasswordView(algorithm=item.algorithm, password=item.ha1) for item in account.passwords]
        common = {**self._common(account, types), **_credentials(account), "passwords": passwords}
        return _shown(RecoveredAccount, common)

    def _common(self, account: Account, types: Types) -> dict[str, Any]:
        expiration = account.activation_expiration
        change = account.email_change
        return {
            "id": account.id,
            "username": account.username,
            "domain": account.domain,
            "email": account.email,
            "activated": account.activated,
            "ip_address": account.ip_address,
            "user_agent": account.user_agent,
            "created_at": account.created_at,
            "updated_at": account.updated_at,
            "display_name": account.display_name,
            "dtmf_protocol": account.dtmf_protocol,
            "group": account.group,
            "realm": self._realm,
            "phone": account.phone,
            "confirmation_key_expires": expiration.expires if expiration else None,
            "activation_expiration": ActivationExpirationView.of(expiration, account.id) if expiration else None,
            "email_change_code": EmailChangeView.of(change) if change else None,
            "types": _types(account, types),
            "actions": _actions(account),
        }


def _shown(view: type[V], values: dict[str, Any]) -> V:
    """A view of values that are right by construction; all are there, so pydantic has no defaults to look for."""
    shown = view.__new__(view)
    for name, value in (("dict", values), ("pydantic_fields_set", set(values)), *_UNUSED):
        object.__setattr__(shown, f"__{name}__", value)
    return shown


def _types(account: Account, types: Types) -> list[TypeView]:
    return [TypeView.of(types[type_id]) for type_id in account.type_ids if type_id in types]


def _actions(account: Account) -> list[ActionView]:
    return [ActionView.of(action) for action in account.actions] if account.dtmf_protocol else []


def _credentials(account: Account) -> dict[str, Any]:
    since = account.admin_since
    return {
        "passwords": [AlgorithmView(algorithm=item.algorithm) for item in account.passwords],
        "admin": AdminView(created_at=since, updated_at=since) if since else None,
    }


def _secrets(account: Account) -> dict[str, Any]:
    confirmation = account.confirmation
    return {
        "confirmation_key": confirmation.key if confirmation else None,
        "provisioning_token": account.provisioning_token,
    }
