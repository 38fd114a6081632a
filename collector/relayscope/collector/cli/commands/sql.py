"""`relayscope sql`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from relayscope.collector.cli.failures import failures
from relayscope.collector.cli.options import as_json, database_options
from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.database import LONGEST_SECONDS, reading
from relayscope.collector.query.statement import run
from relayscope.collector.render import tabular
from relayscope.collector.render.terminal import print_lines, stdout_console, write_lines
from relayscope.collector.text.printable import one_line

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings


@click.command()
@click.argument("statement", metavar="STATEMENT")
@as_json
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header (RFC 4180).")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, max=LONGEST_SECONDS),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help=f"Give up after so long; 0 is as long as may be, {LONGEST_SECONDS:g}.",
)
@database_options()
def sql(*, settings: Settings, statement: str, as_json: bool, as_csv: bool, timeout: float) -> None:
    r"""Run one SQL statement that reads, and print its rows. `-` reads it from standard input.

    `spans` and `logs` are there by these names. Nothing can be written: the statement runs in a
    READ ONLY transaction, as a role that may only read.

    Rows are a table in a terminal, and TSV in a pipe: PostgreSQL's COPY text format with a header
    line, where a backslash is `\\` and NULL is `\N`. --csv is exact; the other forms
    show characters that a terminal would obey as escapes.
    """
    if as_json and as_csv:
        raise click.UsageError("give --json or --csv, not both")
    if statement == "-":
        statement = sys.stdin.read()
    console = stdout_console()
    with failures(), reading(settings, timeout=timeout) as connection:
        result = run(connection, statement, values.as_json if as_json else values.as_text)
        if as_json:
            write_lines(tabular.json_lines(result))
        elif as_csv and sys.stdout.isatty():
            write_lines(map(one_line, tabular.csv(result)))
        elif as_csv:
            write_lines(tabular.csv(result), end="\r\n")
        elif console.is_terminal:
            print_lines(console, tabular.table(result, console.width))
        else:
            write_lines(tabular.tsv(result))
