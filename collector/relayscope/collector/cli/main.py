"""The command line `relayscope`. Each command is a module that is imported when it is called."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Final, NamedTuple

import click

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class _Lazy(NamedTuple):
    module: str
    name: str
    summary: str


_COMMANDS: Final = {
    "serve": _Lazy(
        "relayscope.collector.cli.commands.serve", "serve", "Receive telemetry and store it."
    ),
    "open": _Lazy(
        "relayscope.collector.cli.commands.open", "open_page", "Open the page in a browser."
    ),
    "trace": _Lazy(
        "relayscope.collector.cli.commands.trace", "trace", "Show a trace and its messages."
    ),
    "traces": _Lazy("relayscope.collector.cli.commands.lists", "traces", "List the newest traces."),
    "messages": _Lazy(
        "relayscope.collector.cli.commands.lists", "messages", "List the newest messages."
    ),
    "calls": _Lazy("relayscope.collector.cli.commands.lists", "calls", "List the newest calls."),
    "logs": _Lazy("relayscope.collector.cli.commands.lists", "logs", "List other log records."),
    "tail": _Lazy("relayscope.collector.cli.commands.tail", "tail", "Show records as they come."),
    "diff": _Lazy("relayscope.collector.cli.commands.compare", "diff", "Compare two messages."),
    "peers": _Lazy(
        "relayscope.collector.cli.commands.compare", "peers", "Compare what two peers send."
    ),
    "stats": _Lazy("relayscope.collector.cli.commands.compare", "stats", "Sum up what is stored."),
    "problems": _Lazy(
        "relayscope.collector.cli.commands.problems", "problems", "Show what is wrong."
    ),
    "sql": _Lazy("relayscope.collector.cli.commands.sql", "sql", "Read the database with SQL."),
    "level": _Lazy(
        "relayscope.collector.cli.commands.level", "level", "Change how much is recorded, at once."
    ),
    "seal": _Lazy(
        "relayscope.collector.cli.commands.maintenance", "seal", "Pack and index what is past."
    ),
    "retention": _Lazy(
        "relayscope.collector.cli.commands.maintenance",
        "retention",
        "Remove what was kept long enough.",
    ),
    "archive": _Lazy(
        "relayscope.collector.cli.commands.maintenance", "archive", "Write records to files."
    ),
    "restore": _Lazy(
        "relayscope.collector.cli.commands.maintenance", "restore", "Store archives again."
    ),
    "db": _Lazy("relayscope.collector.cli.commands.db", "db", "Prepare a PostgreSQL of your own."),
    "sanitize": _Lazy(
        "relayscope.collector.cli.commands.sanitize",
        "sanitize",
        "Show what the sanitizer does to a sample.",
    ),
    "demo": _Lazy(
        "relayscope.collector.cli.commands.demo", "demo", "See real MCP calls, end to end."
    ),
}


class _LazyGroup(click.Group):
    """A group that knows its commands by name, so that `trace` does not import gRPC."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        lazy = _COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        command: click.Command = getattr(import_module(lazy.module), lazy.name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; whoever reads its output may stop, as `head` does."""
        try:
            result: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _write_to_nobody()
            ctx.exit()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            _write_to_nobody()
            name = error.filename or "the output"
            raise click.ClickException(f"{name} cannot be written: {error.strerror}") from None
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in _COMMANDS.items()])


def _write_to_nobody() -> None:
    """Have what is left in the buffer written there at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="relayscope")
def main() -> None:
    """See what an MCP relay and its backends really said to each other."""
