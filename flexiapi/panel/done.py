"""Notes about what was done, shown once on the page after it."""

from enum import Enum

from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import Note

_LONGEST_COUNT = 6


class Done(Enum):
    """The notes, English texts; `{count}` stands for a number."""

    SIGNED_OUT = marked("You are signed out.")
    ACCOUNT_CREATED = marked("The account is created. Hand its link over to its owner.")
    ACCOUNT_CHANGED = marked("The account is saved.")
    ACCOUNT_ACTIVATED = marked("The account is activated.")
    ACCOUNT_DEACTIVATED = marked("The account is deactivated.")
    ACCOUNT_BLOCKED = marked("The account is blocked.")
    ACCOUNT_UNBLOCKED = marked("The block has ended.")
    ACCOUNT_UNLOCKED = marked("The account is unlocked.")
    ACCOUNT_SIGNED_OUT = marked("The account is signed out everywhere.")
    ACCOUNT_DELETED = marked("The account is deleted.")
    LINK_MADE = marked("A new link is made. The one before has ended.")
    LINK_MAILED = marked("A new link is mailed. The one before has ended.")
    COUNTRY_ALLOWED = marked("New numbers of the country are allowed.")
    COUNTRY_REFUSED = marked("New numbers of the country are refused.")
    RESET_MAILED = marked("A link for a new password is mailed.")
    EXTERNAL_ATTACHED = marked("An external account is attached.")
    CONTACT_ADDED = marked("The contact is added.")
    CONTACT_REMOVED = marked("The contact is removed.")
    TYPE_ATTACHED = marked("The type is attached.")
    TYPE_DETACHED = marked("The type is detached.")
    LIST_ATTACHED = marked("The contacts list is attached.")
    LIST_DETACHED = marked("The contacts list is detached.")
    ACTION_SAVED = marked("The action is saved.")
    ACTION_REMOVED = marked("The action is deleted.")
    ENTRY_SAVED = marked("The entry is saved.")
    ENTRY_REMOVED = marked("The entry is deleted.")
    BRIDGE_SAVED = marked("The account on the other server is saved.")
    BRIDGE_REMOVED = marked("The account on the other server is removed.")
    REGISTRATION_ENDED = marked("The registration of the device has ended.")
    CODE_SENT = marked("We sent a code.")
    EMAIL_CHANGED = marked("Your e-mail address is changed.")
    PHONE_CHANGED = marked("Your phone number is changed.")
    CHANGE_CANCELLED = marked("The change is cancelled. Nothing was changed.")
    CHANGE_ENDED = marked("The code is over. Begin the change again.")
    PASSWORD_CHANGED = marked("Your password is changed.")
    PASSWORD_CHANGED_EVERYWHERE = marked("Your password is changed, and all other devices are signed out.")
    KEY_ENDED = marked("Your API key is ended.")
    DEVICE_REMOVED = marked("The phone is removed.")
    PUSH_SENT = marked("A test push was accepted for phones: {count}.")
    PUSH_NOWHERE = marked("No registered phone says how it can be woken by push.")
    PUSH_FAILED = marked("The test push was not accepted for any phone.")
    PUSH_UNREGISTERED = marked("The push service no longer knows your phone. Open the app once, and try again.")
    MESSAGE_SENT = marked("A test message is on its way to your phones.")
    VOICEMAIL_REMOVED = marked("The message is deleted.")
    FORWARDING_SAVED = marked("The rule is saved.")
    FORWARDING_ON = marked("The rule is switched on.")
    FORWARDING_OFF = marked("The rule is switched off.")
    FORWARDING_REMOVED = marked("The rule is deleted.")
    SESSION_ENDED = marked("The session has ended.")
    SESSIONS_ENDED = marked("{count} sessions have ended.")
    TYPE_CREATED = marked("The type is created.")
    TYPE_SAVED = marked("The type is saved.")
    TYPE_DELETED = marked("The type is deleted.")
    LIST_CREATED = marked("The contacts list is created. Add its members now.")
    LIST_SAVED = marked("The contacts list is saved.")
    LIST_DELETED = marked("The contacts list is deleted.")
    MEMBERS_ADDED = marked("Members added to the list: {count}.")
    MEMBER_REMOVED = marked("The member is removed from the list.")
    EXTERNAL_ADDED = marked("The external account is in the pool.")
    EXTERNAL_REMOVED = marked("The external account is removed from the pool.")
    INVITATION_REVOKED = marked("The invitation is revoked.")
    NAMED_KEY_REVOKED = marked("The API key is revoked.")
    MESSAGE_ON_ITS_WAY = marked("The message is sent.")
    TEST_SENT = marked("The backend has accepted the test message. It should reach you soon.")
    CONFIRMED = marked("Thank you, that was right.")
    ACCOUNT_CONFIRMED = marked("Your account is confirmed.")
    SIGN_UP_GIVEN_UP = marked("The new account is given up.")
    RECOVERED = marked("You are signed in. Choose a new password now.")
    PASSWORD_SET = marked("Your new password is set. Sign in with it.")
    LET_IN = marked("The other browser is signed in.")
    REFUSED = marked("The other browser is refused.")

    def cookie(self, count: int) -> str:
        """Return the value of the cookie that carries the note to the next page."""
        return f"{self.name}.{count}"


def note(cookie: str) -> Note | None:
    """Return the note of a cookie, `None` for a value that is not ours."""
    name, _, count = cookie.partition(".")
    if name not in Done.__members__ or not (count.isascii() and count.isdecimal() and len(count) <= _LONGEST_COUNT):
        return None
    return Note(Done[name].value, int(count))
