"""Command `python -m flexiapi.testing PORT`: a gateway that accepts and prints every request, to try a backend."""

import signal
import sys

import click

from flexiapi.testing.http1 import Gateway
from flexiapi.testing.replies import Reply, Request


@click.command()
@click.argument("port", type=click.IntRange(1, 65535))
def main(port: int) -> None:
    """Accept every HTTP request on 127.0.0.1:PORT, and print it."""
    gateway = Gateway()
    gateway.port = port

    def printed(request: Request) -> Reply:
        click.echo(f"{request.method} {request.target} {request.body.decode(errors='replace')}")
        sys.stdout.flush()
        return gateway.default

    gateway.answer(printed)
    with gateway:
        click.echo(f"Gateway on {gateway.url}")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    # Threads inherit the signal mask; one made earlier would take the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
