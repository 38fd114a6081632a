"""`relayscope sanitize`."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import click

from relayscope.collector.cli.options import settings_options
from relayscope.collector.config.sanitizer_rules import load_rules
from relayscope.collector.text.printable import one_line
from relayscope.sanitizer import Sanitizer

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings


@click.command()
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"))
@click.option("--explain", is_flag=True, help="Show what each rule does, and where.")
@settings_options("sanitizer_rules")
def sanitize(settings: Settings, file: IO[str], explain: bool) -> None:  # noqa: FBT001  # click's way
    """Show what the sanitizer makes of the text in FILE (- for standard input).

    The text is taken as the body of a log record: a JSON-RPC message, a line of a log, a header.
    """
    sanitizer = Sanitizer.from_rules(load_rules(settings))
    sample = file.read()
    if explain:
        _explain(sanitizer, sample)
    else:
        click.echo(sanitizer.text(sample), nl=False)


def _explain(sanitizer: Sanitizer, sample: str) -> None:
    changes = sanitizer.explain(sample)
    if not changes:
        click.echo("no rule applies")
    for change in changes:
        where = one_line(f"{change.path}: {change.before} -> {change.after}")
        click.echo(f"{change.step:<10} {change.rule:<24} {where}")
