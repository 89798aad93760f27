"""`python -m flexiapi.testing PORT`: a gateway that accepts everything and prints what it got, to try a backend."""

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
    # Before any thread is made, which would take the signals otherwise.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
