"""Entry point of `python -m flexiapi`, the same as the `flexiapi` command."""

from flexiapi.cli import main

main()
