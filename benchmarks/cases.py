"""The requests that are measured, each with the goal that it is held against."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import data
from benchmarks.load import Shot

_ANSWERS_PER_SECOND = 12_000
_QUESTIONS_PER_SECOND = 12_000
_SIGN_UPS_PER_SECOND = 5_000
_RECOVERIES_PER_SECOND = 4_000
_ONE_BY_ONE_PER_SECOND = 4_000


@dataclass
class Supplies:
    """Accounts, tokens and prepared requests for loads of so many seconds; none is used twice."""

    uri: str
    folder: Path
    accounts: int
    seconds: int
    _tokens: int = field(default=0, init=False)
    _recovered: int = field(default=0, init=False)

    def random(self) -> tuple[str, ...]:
        return (str(self.accounts),)

    def answers(self) -> tuple[str, ...]:
        path = self.folder / "answers"
        data.write_digest_answers(path, self.accounts, self.seconds * _ANSWERS_PER_SECOND)
        return (str(path),)

    def questions(self) -> tuple[str, ...]:
        return self._questions(_QUESTIONS_PER_SECOND)

    def fewer_questions(self) -> tuple[str, ...]:
        return self._questions(_ONE_BY_ONE_PER_SECOND)

    def _questions(self, each_second: int) -> tuple[str, ...]:
        path = self.folder / "questions"
        data.write_sip_questions(path, self.accounts, self.seconds * each_second)
        return (str(path),)

    def recoveries(self) -> tuple[str, ...]:
        count = self.seconds * _RECOVERIES_PER_SECOND
        if self._recovered + count > self.accounts:
            self.restore()
        first, self._recovered = self._recovered, self._recovered + count
        return (str(first),)

    def restore(self) -> None:
        """Make the accounts that were recovered what they were before."""
        data.restore(self.uri, range(1, min(self._recovered, self.accounts) + 1), self.accounts)
        self._recovered = 0

    def sign_ups(self) -> tuple[str, ...]:
        first, count = self._tokens + 1, self.seconds * _SIGN_UPS_PER_SECOND
        data.add_creation_tokens(self.uri, first, count)
        self._tokens += count
        return (str(first),)


def _none(_: Supplies) -> tuple[str, ...]:
    return ()


def _first(_: Supplies) -> tuple[str, ...]:
    return ("1",)


def _with_contacts(_: Supplies) -> tuple[str, ...]:
    return (str(data.WITH_CONTACTS),)


@dataclass(frozen=True)
class Case:
    """A request under load.

    `goal` is the lowest wanted ratio of requests/s to the bare handler. `waits` in place of it is the longest wanted
    median wait, as a multiple of the bare handler's. `connections` replaces the number chosen for the run.
    """

    name: str
    path: str
    script: str | None = None
    arguments: Callable[[Supplies], tuple[str, ...]] = _none
    goal: float | None = None
    waits: float | None = None
    connections: int | None = None
    refusals_expected: bool = False
    obvious: bool = False
    is_scaled: bool = False

    def shot(self, supplies: Supplies) -> Shot:
        return Shot(self.path, self.script, self.arguments(supplies))


BARE_SHOT = Shot("/")
_SIGN_UP = "/api/accounts/with-account-creation-token"
ME = "/api/accounts/me"
# In the order in which they are printed and written: a new one goes to the end.
CASES = (
    Case("GET /provisioning", "/provisioning", goal=1.6),
    Case("GET accounts/{sip}/info", "/", "info.lua", Supplies.random, 1.2, obvious=True, is_scaled=True),
    Case("GET accounts/me, 401", ME, "challenge.lua", Supplies.random, 1.2, refusals_expected=True, is_scaled=True),
    Case("GET accounts/me by key", ME, "key.lua", Supplies.random, 0.9, obvious=True, is_scaled=True),
    Case("GET /provisioning/me", "/provisioning/me", "key.lua", Supplies.random, 0.85, is_scaled=True),
    Case("GET accounts/me, DIGEST", ME, "digest.lua", Supplies.answers, 0.6, is_scaled=True),
    Case("GET accounts, page 1", "/api/accounts", "as.lua", _first, 0.12, is_scaled=True),
    Case("GET accounts, page 5000", "/api/accounts?page=5000", "as.lua", _first),
    Case("GET vcard, 200 contacts", "/contacts/vcard", "as.lua", _with_contacts, 0.08, is_scaled=True),
    Case("GET recover/{key}", "/", "recover.lua", Supplies.recoveries),
    Case("POST with-…-token", _SIGN_UP, "create.lua", Supplies.sign_ups, 0.4),
    Case("GET /sip/auth", "/", "sip.lua", Supplies.questions, is_scaled=True),
    Case("GET /sip/auth, one at a time", "/", "sip.lua", Supplies.fewer_questions, waits=4.0, connections=1),
    Case("GET resolve/{sip}", "/", "resolve.lua", Supplies.random, waits=3.0),
    Case("POST stats/calls", "/api/stats/calls", "report.lua", _first, 0.3),
)
BARE_ON_OURS_NAME = "bare handler on our server"


def chosen(part: str) -> list[Case]:
    return [case for case in CASES if part in case.name]
