"""The domains that a SIP server may ask about."""

from flexiapi.model import EVERYWHERE, Scope, Space
from flexiapi.services.sign_in import KeyIdentity


def reach_of(identity: object, space: Space) -> Scope:
    """Return the domains whose accounts and calls a caller may ask about in a space.

    One SIP server serves all domains of an installation with one key. So a key of the default space that the server's
    operator made, by command, reaches all of them. All other callers reach what administrators of the space do.
    """
    if isinstance(identity, KeyIdentity) and identity.key.account_id is None and identity.key.space is None:
        return EVERYWHERE
    return space.reach
