"""The domains that a SIP server may ask about."""

from flexiapi.model import EVERYWHERE, KeyScope, Scope, Space
from flexiapi.services.sign_in import KeyIdentity


def reach_of(identity: object, space: Space, scope: KeyScope) -> Scope:
    """Return the domains whose accounts and calls a caller may ask about, or report, in a space.

    One SIP server serves all domains of an installation with one key. So a key of the default space that the server's
    operator made, by command, reaches all of them for what the scope opens. All other callers, and keys without the
    scope, reach what administrators of the space do.
    """
    if isinstance(identity, KeyIdentity) and scope in identity.scopes:
        is_of_server = identity.key.account_id is None and identity.key.space is None
        return EVERYWHERE if is_of_server else space.reach
    return space.reach
