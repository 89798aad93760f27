"""Notes about what was done, shown once on the page after it."""

from enum import Enum

from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import Note

_LONGEST_COUNT = 6


class Done(Enum):
    """The notes, English texts; `{count}` stands for a number."""

    SIGNED_OUT = marked("You are signed out.")
    SESSION_ENDED = marked("The session has ended.")
    SESSIONS_ENDED = marked("{count} sessions have ended.")
    CONFIRMED = marked("Thank you, that was right.")
    ACCOUNT_CONFIRMED = marked("Your account is confirmed.")
    SIGN_UP_GIVEN_UP = marked("The new account is given up.")
    RECOVERED = marked("You are signed in. Choose a new password now.")
    PASSWORD_SET = marked("Your new password is set. Sign in with it.")
    LET_IN = marked("The other browser is signed in.")
    REFUSED = marked("The other browser is refused.")
    CODE_SENT = marked("A code is on its way.")

    def cookie(self, count: int) -> str:
        """Return the value of the cookie that carries the note to the next page."""
        return f"{self.name}.{count}"


def note(cookie: str) -> Note | None:
    """Return the note of a cookie, `None` for a value that is not ours."""
    name, _, count = cookie.partition(".")
    if name not in Done.__members__ or not (count.isascii() and count.isdecimal() and len(count) <= _LONGEST_COUNT):
        return None
    return Note(Done[name].value, int(count))
