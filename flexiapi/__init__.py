"""flexiapi: the account server for the Flexisip SIP proxy."""

from importlib.metadata import version

__version__ = version("flexiapi")
