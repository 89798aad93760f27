"""The `flexiapi` command."""

import sys
from pathlib import Path
from typing import Any

import click

from flexiapi import __version__, observing
from flexiapi.cli import administering, carrying  # noqa: F401  # they add their commands to `accounts`
from flexiapi.cli.accounts import accounts
from flexiapi.cli.api_keys import api_keys
from flexiapi.cli.checking import check
from flexiapi.cli.context import Installation
from flexiapi.cli.events import events
from flexiapi.cli.migrating import migrate
from flexiapi.cli.plugins import plugins
from flexiapi.cli.provisioning import provisioning
from flexiapi.cli.serving import openapi, serve, settings, worker
from flexiapi.cli.sip import sip
from flexiapi.cli.spaces import spaces
from flexiapi.cli.statistics import statistics
from flexiapi.cli.upkeep import clean, digest
from flexiapi.errors import ApiError, FlexiapiError, StoreUnavailable, ValidationFailed


class Root(click.Group):
    """A command group that reports failures in one sentence, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command. Exits with status 1 on a `FlexiapiError`."""
        try:
            return super().invoke(context)
        except FlexiapiError as error:
            for text in _texts(error):
                click.echo(f"flexiapi: {text}", err=True)
            sys.exit(1)


def _texts(error: FlexiapiError) -> list[str]:
    if isinstance(error, ValidationFailed):
        return [text for of_field in error.errors.values() for text in of_field]
    if isinstance(error, StoreUnavailable) and error.reason:
        return [f"The database does not answer: {error.reason}. Look at mongodb.uri (MONGODB_URI)."]
    return [error.message if isinstance(error, ApiError) else str(error)]


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="FLEXIAPI_CONFIG",
    show_envvar=True,
    help="Settings file (TOML). Default: /etc/flexiapi/flexiapi.toml if it exists.",
)
@click.version_option(__version__, prog_name="flexiapi")
@click.pass_context
def main(context: click.Context, file: Path | None) -> None:
    """The account server for the Flexisip SIP proxy.

    Settings come from the --config file and the environment, which takes precedence: [account] email_unique is
    ACCOUNT_EMAIL_UNIQUE. Start with:

    \b
      flexiapi settings > flexiapi.toml                   every setting, explained
      flexiapi --config flexiapi.toml check               check the settings and all services
      flexiapi --config flexiapi.toml accounts create-admin alice.martin --api-key
      flexiapi --config flexiapi.toml serve
    """  # noqa: D301  # click interprets the escape
    context.obj = Installation(file)
    observing.configure()


for command in (
    serve,
    worker,
    check,
    migrate,
    settings,
    openapi,
    plugins,
    accounts,
    api_keys,
    events,
    digest,
    clean,
    sip,
    provisioning,
    spaces,
    statistics,
):
    main.add_command(command)
