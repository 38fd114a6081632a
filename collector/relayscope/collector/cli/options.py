"""The options that commands share, in one place.

A command that works with the database is written as::

    @click.command()
    @database_options()
    def trace(settings: Settings) -> None: ...
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from relayscope.collector.config import settings as settings_module
from relayscope.collector.errors import StartError
from relayscope.conventions.environment import RELAYSCOPE_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable

    from relayscope.collector.config.settings import Settings

_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "data_dir": {
        "metavar": "DIR",
        "help": "Where the embedded PostgreSQL lives. [default: the user's data folder]",
    },
    "database_url": {
        "metavar": "URL",
        "help": "A PostgreSQL to use instead of the embedded one.",
    },
    "grpc": {"metavar": "HOST:PORT", "help": "OTLP/gRPC. [default: 127.0.0.1:4317]"},
    "http": {"metavar": "HOST:PORT", "help": "OTLP/HTTP and health. [default: 127.0.0.1:4318]"},
    "page": {
        "metavar": "HOST:PORT",
        "help": "The page in a browser; `none` for none. [default: 127.0.0.1:4319]",
    },
    "archive_dir": {
        "metavar": "DIR",
        "help": "Where archives are. [default: that of the settings]",
    },
    "workers": {"type": int, "metavar": "N", "help": "Receiver processes. [default: 1]"},
    "tls_certificate": {"metavar": "FILE", "help": "PEM certificate chain for both listeners."},
    "tls_key": {"metavar": "FILE", "help": "PEM key of that certificate."},
    "tls_client_ca": {"metavar": "FILE", "help": "PEM certificates whose clients are let in."},
    "sanitizer_rules": {"metavar": "FILE", "help": "YAML file with sanitizer rules."},
    "insecure": {
        "is_flag": True,
        "default": None,
        "help": "Listen elsewhere than on loopback even without TLS and tokens.",
    },
}


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per row.")


class CommandFailed(click.ClickException):
    """One line on stderr and exit code 1."""


def settings_options(
    *names: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command `--config` and the named options, and pass it `settings`, fully loaded.

    Args:
        names: names of fields of `Settings` that have an option here.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_settings(**arguments: Any) -> None:
            given = {name: arguments.pop(name) for name in names}
            config: Path | None = arguments.pop("config")
            try:
                settings = settings_module.load(
                    {name: value for name, value in given.items() if value is not None}, config
                )
                command(settings=settings, **arguments)
            except StartError as error:
                raise CommandFailed(str(error)) from None

        for name in reversed(names):
            flag = f"--{name.replace('_', '-')}"
            with_settings = click.option(flag, name, **_OPTIONS[name])(with_settings)
        return click.option(
            "--config",
            type=click.Path(path_type=Path),
            envvar=RELAYSCOPE_CONFIG,
            metavar="FILE",
            help=f"YAML file with settings. [env: {RELAYSCOPE_CONFIG}]",
        )(with_settings)

    return decorate


def database_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that works with one database what says which, and the named options.

    A URL on the command line is for whatever the command does there, as any user.

    Args:
        names: as `settings_options` takes them.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_database(*, settings: Settings, **arguments: Any) -> None:
            context = click.get_current_context()
            source = context.get_parameter_source("database_url")
            if source is ParameterSource.COMMANDLINE:
                settings = settings.model_copy(
                    update={"page_database_url": None, "upkeep_database_url": None}
                )
            command(settings=settings, **arguments)

        return settings_options("data_dir", "database_url", *names)(with_database)

    return decorate
