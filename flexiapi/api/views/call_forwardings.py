"""Views of rules of call forwarding, and of accounts with theirs."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from flexiapi.api.views.accounts import AccountId, AccountView, Moment, ViewData
from flexiapi.model import Account
from flexiapi.services.calls import ActingForwarding, ResolvedAccount, ShownForwarding
from flexiapi.sip_address import uri_of

ForwardingId = Annotated[int, Field(examples=[1])]
SipUriText = Annotated[str, Field(examples=["sip:alice.martin@sip.example.org"])]


@dataclass(kw_only=True)
class CallForwardingView:
    """A rule of call forwarding. `warning` says what a SIP server cannot do with it yet."""

    id: ForwardingId
    type: Literal["always", "no_answer", "busy"]
    forward_to: Literal["sip_uri", "contact", "voicemail"]
    sip_uri: Annotated[str | None, Field(examples=["sip:bob@sip.example.org"])]
    enabled: bool
    contact_id: Annotated[int | None, Field(examples=[None])]
    created_at: Moment
    updated_at: Moment
    contact_sip_uri: Annotated[str | None, Field(examples=[None])]
    warning: Annotated[str | None, Field(examples=[None])]

    @classmethod
    def of(cls, shown: ShownForwarding) -> "CallForwardingView":
        """Return the view of a rule."""
        rule, contact = shown.rule, shown.contact
        return cls(
            id=rule.id,
            type=rule.type.value,
            forward_to=rule.forward_to.value,
            sip_uri=rule.sip_uri,
            enabled=rule.enabled,
            contact_id=rule.contact_id,
            created_at=rule.created_at,
            updated_at=rule.updated_at,
            contact_sip_uri=None if contact is None else uri_of(contact.username, contact.domain),
            warning=shown.warning,
        )


@dataclass(kw_only=True)
class ActingForwardingView:
    """A rule that a call may follow now, as Flexisip reads it: what is named by `forward_to` is always a text."""

    id: ForwardingId
    type: Annotated[str, Field(examples=["away"])]
    forward_to: Literal["sip_uri", "contact", "voicemail"]
    sip_uri: Annotated[str | None, Field(examples=["sip:bob@sip.example.org"])]
    enabled: bool
    contact_id: Annotated[int | None, Field(examples=[None])]
    contact_sip_uri: Annotated[str | None, Field(examples=[None])]

    @classmethod
    def of(cls, acting: ActingForwarding) -> "ActingForwardingView":
        """Return the view of a rule."""
        rule = acting.rule
        return cls(
            id=rule.id,
            type=acting.type,
            forward_to=rule.forward_to.value,
            sip_uri=rule.sip_uri,
            enabled=rule.enabled,
            contact_id=rule.contact_id,
            contact_sip_uri=acting.contact_uri,
        )

    @classmethod
    def all_of(cls, resolved: ResolvedAccount) -> "list[ActingForwardingView]":
        """Return the views of the rules of an account."""
        return [cls.of(acting) for acting in resolved.forwardings]


@dataclass(kw_only=True)
class ResolvedPayload:
    """The part of an account that a call needs."""

    id: AccountId
    sip_uri: SipUriText
    call_forwardings: list[ActingForwardingView]


@dataclass(kw_only=True)
class ResolvedView:
    """The account of a SIP address."""

    type: Literal["account"]
    payload: ResolvedPayload

    @classmethod
    def of(cls, resolved: ResolvedAccount) -> "ResolvedView":
        """Return the view of an account."""
        account, rules = resolved.account, ActingForwardingView.all_of(resolved)
        uri = uri_of(account.username, account.domain)
        return cls(type="account", payload=ResolvedPayload(id=account.id, sip_uri=uri, call_forwardings=rules))


@dataclass(kw_only=True)
class FoundAccount(AccountView):
    """An account with the rules that calls to it may follow now."""

    call_forwardings: list[ActingForwardingView]

    @classmethod
    def found(cls, resolved: ResolvedAccount, data: ViewData) -> "FoundAccount":
        """Return the view of an account that was found by its address."""
        view = cls.of(resolved.account, data)
        view.sip_uri = uri_of(view.username, view.domain)
        view.call_forwardings = ActingForwardingView.all_of(resolved)
        return view

    @classmethod
    def _more(cls, account: Account) -> dict[str, Any]:
        return {**super()._more(account), "call_forwardings": []}
