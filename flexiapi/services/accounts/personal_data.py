"""Records about a person beside the account itself: events, tokens, contacts lists, types, named API keys, vCards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flexiapi.model import (
    Account,
    AccountType,
    ActorKind,
    AttachedToken,
    ContactsList,
    Event,
    NamedKey,
    NotedFetch,
    ReportedCall,
    ReportedConference,
    ReportedMessage,
    StoredCard,
    Voicemail,
)
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.types import AccountTypes
from flexiapi.services.ground import Ground

MOST_EVENTS = 1000
MOST_TOKENS = 100
MOST_REPORTS = 5000
# The ids are those of others, and the reason of a block is for administrators.
_HIDDEN = ("ids", "reason")


@dataclass(frozen=True, slots=True)
class PersonalEvent:
    """An event as the person whom it names may see it.

    `by` is `you`, `another account`, or the kind of the actor. Address and program are those of the person, or of an
    anonymous caller, who asked in the person's name. `details` are those of changes to the person's own account.
    """

    name: str
    at: datetime
    by: str
    address: str = ""
    user_agent: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonalReports:
    """Calls, messages and conferences of an account, the newest first; `are_all` is False above the limit of one."""

    calls: Sequence[ReportedCall]
    messages: Sequence[ReportedMessage]
    conferences: Sequence[ReportedConference]
    are_all: bool


@dataclass(frozen=True, slots=True)
class PersonalRecords:
    """The records beside an account that are about it, the newest first; `are_all_events` is False above the limit."""

    events: Sequence[PersonalEvent]
    are_all_events: bool
    tokens: Sequence[AttachedToken]
    contacts_lists: Sequence[ContactsList]
    types: Sequence[AccountType]
    named_keys: Sequence[NamedKey]
    reports: PersonalReports
    cards: Sequence[StoredCard]
    fetches: Sequence[NotedFetch]
    voicemails: Sequence[Voicemail]


class PersonalData:
    """Exports, within the limit per hour of their account."""

    def __init__(self, ground: Ground, directory: AccountDirectory, types: AccountTypes) -> None:
        self._store = ground.store
        self._clock = ground.clock
        self._types = types
        self._limiter = ground.limiter
        self._directory = directory

    async def of(self, account: Account) -> PersonalRecords:
        """Return the records about an account. Raises `TooManyRequests`."""
        await self._limiter.count("exports", str(account.id))
        events = await self._store.journal.events.naming(account.id, MOST_EVENTS + 1)
        kinds = (self._store.auth_tokens, self._store.reset_links, self._store.creation_tokens)
        tokens = [token for kind in kinds for token in await kind.of(account.id, MOST_TOKENS)]
        space = self._directory.space_of(account)
        lists = await self._store.contacts_lists.by_ids(account.contacts_list_ids, space)
        types = await self._types.of([account])
        voicemails = (await self._store.voicemails.box(account.id, self._clock.now())).voicemails
        return PersonalRecords(
            [_personal(event, account.id) for event in events[:MOST_EVENTS]],
            len(events) <= MOST_EVENTS,
            tokens,
            lists,
            types.get(account.id, ()),
            await self._store.named_keys.made_by(account.id),
            await self._reports(account.id),
            await self._store.cards.of(account.id),
            await self._store.provisioning_fetches.of(account.id),
            voicemails,
        )

    async def _reports(self, account_id: int) -> PersonalReports:
        listings = self._store.sip_reports.listings
        calls = (await listings.calls_of(account_id, 0, MOST_REPORTS + 1)).calls
        messages = await listings.messages_of(account_id, MOST_REPORTS + 1)
        conferences = await listings.conferences_of(account_id, MOST_REPORTS + 1)
        return PersonalReports(
            calls[:MOST_REPORTS],
            messages[:MOST_REPORTS],
            conferences[:MOST_REPORTS],
            max(map(len, (calls, messages, conferences))) <= MOST_REPORTS,
        )


def _personal(event: Event, account_id: int) -> PersonalEvent:
    """Return an event without what is about other people, or the hash of a token."""
    actor, is_mine = event.actor, account_id in event.account_ids
    if actor.account_id == account_id:
        by = "you"
    else:
        by = "another account" if actor.kind is ActorKind.ACCOUNT else actor.kind.value
    is_own = by == "you" or actor.kind is ActorKind.ANONYMOUS
    details = {name: value for name, value in event.details.items() if name not in _HIDDEN} if is_mine else {}
    return PersonalEvent(
        event.name, event.at, by, actor.address if is_own else "", actor.user_agent if is_own else "", details
    )
