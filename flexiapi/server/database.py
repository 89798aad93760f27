"""The database of an installation: the configured one, or an embedded mongod."""

import contextlib
from collections.abc import Iterator

from flexiapi.server.application_key import application_key
from flexiapi.server.stopping import at_forced_end
from flexiapi.settings import Settings
from flexiapi.store import EmbeddedMongod


@contextlib.contextmanager
def mongod_of(settings: Settings, *, exclusive: bool = False) -> Iterator[str]:
    """Yield the MongoDB URI. An embedded mongod, if the settings want one, runs until the end of the block.

    `exclusive` is for a server: no other server may use the data folder, and the mongod is restarted if it ends.
    """
    if not settings.mongodb.is_embedded:
        yield settings.mongodb.uri
        return
    # The key is made before the database, so that a database without a key is one that has lost it.
    application_key(settings)
    mongod = EmbeddedMongod(settings.data.path)
    try:
        mongod.start(exclusive=exclusive)
        if exclusive:
            # A signal does not end one that hangs.
            at_forced_end(mongod.kill)
            mongod.keep()
        yield mongod.uri
    finally:
        mongod.stop()
