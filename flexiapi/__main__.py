"""`python -m flexiapi` is the `flexiapi` command."""

from flexiapi.cli import main

main()
