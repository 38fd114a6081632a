"""`relayscope problems`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click
import orjson
from rich.text import Text

from relayscope.collector.cli.commands.lists import TIMEOUT, why_empty
from relayscope.collector.cli.failures import failures
from relayscope.collector.cli.options import as_json, database_options
from relayscope.collector.query.database import reading
from relayscope.collector.query.filters import filter_options
from relayscope.collector.query.lookback import LATEST
from relayscope.collector.query.problem_limit import at_limit
from relayscope.collector.query.problems import MOST, SEVERITY, ask, ranked, read
from relayscope.collector.render.page_link import linked, trace_address
from relayscope.collector.render.terminal import print_lines, stdout_console, write_lines
from relayscope.collector.serve.page_address import page_url
from relayscope.collector.text.message_summary import gist
from relayscope.collector.text.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from relayscope.collector.config.settings import Settings
    from relayscope.collector.query.problems import Problem

_WRONG: Final = ("connection", "unanswered", "failed", "undelivered")

_NOTHING: Final = (
    "nothing failed {when}{who}: no error, no odd message, no record that is missing; "
    "`relayscope calls` shows what was called, and the view `legs` in `relayscope sql` what relays "
    "changed on the way"
)

_AT_LIMIT: Final = (
    "{most} of each kind are shown at most; there may be more of: {kinds}. "
    "--since, --until and --component choose among them"
)

_MOST_OF_ONE: Final = 20 * MOST
"""Groups of each kind that are looked through for those of a component."""

_A_DAY: Final = timedelta(days=1)

_INDENT: Final = " " * 16
_SMALL_INDENT: Final = " " * 2
_NARROW: Final = 60
"""Columns of a terminal in which the kind has a line of its own: little would fit beside it."""

_GAP: Final = "  "
_LONGEST: Final = 1000
"""Characters of a line for who reads it in a file or a pipe; `--json` has all of it."""


@click.command()
@filter_options("component", "since", "until")
@as_json
@database_options()
def problems(*, settings: Settings, as_json: bool, **given: Any) -> None:
    """Show what is wrong, the most severe first: of the last day, if it is not said since when.

    Calls that failed or were not answered, each where it began to; connections that were not made;
    odd, repeated and slow ones; components that are silent, and records that are missing; lists
    that nobody read to their end, or again when they had changed; what relays leave out or pass on
    as another result. What looks
    alike is one line, with the trace of the newest.
    """
    times = {
        "since": given["since"] or datetime.now(UTC) - _A_DAY,
        "until": given["until"] or LATEST,
    }
    with failures(), reading(settings, timeout=TIMEOUT) as connection:
        most = _MOST_OF_ONE if given["component"] else MOST
        answers = ask(connection, times, most)
        why = "" if any(answers.values()) else why_empty(connection, settings)
    every = ranked(problem for name, rows in answers.items() for problem in read(name, rows))
    found = [one for one in every if not given["component"] or one.component in given["component"]]
    console = stdout_console()
    if as_json:
        write_lines(orjson.dumps(asdict(one), default=str).decode() for one in found)
    elif why:
        click.echo(why)
    elif not found:
        when = "in that time" if given["since"] or given["until"] else "in the last day"
        who = f" of {one_line(', '.join(given['component']))}" if given["component"] else ""
        click.echo(_NOTHING.format(when=when, who=who))
    else:
        page = page_url(settings)
        print_lines(console, (line for one in found for line in _lines(one, page, console)))
    if full := at_limit(answers, most):
        click.echo(_AT_LIMIT.format(most=f"{most:,}", kinds=", ".join(full)), err=True)


def _lines(problem: Problem, page: str, console: Console) -> Iterator[Text]:
    columns = console.width if console.is_terminal else _LONGEST
    is_narrow = columns < _NARROW
    indent = _SMALL_INDENT if is_narrow else _INDENT
    name = SEVERITY[problem.kind]
    kind = Text(
        name if is_narrow else f"{name:{len(indent)}}",
        "red" if problem.kind in _WRONG else "yellow",
    )
    if is_narrow:
        yield kind
        kind = Text(indent)
    for line in _said(problem, page, console, columns - len(indent)):
        yield Text.assemble(kind, line)
        kind = Text(indent)


def _said(problem: Problem, page: str, console: Console, width: int) -> list[Text]:
    what = Text.assemble((one_line(problem.component), "bold"), f" {one_line(problem.what)}")
    where = _where(problem, page)
    lines = [*what.wrap(console, width)]
    # Nothing that belongs together is parted.
    if lines[-1].cell_len + where.cell_len <= width:
        lines[-1] += where
    else:
        lines.append(where[len(_GAP) :])
    # Of a request without arguments there is nothing to say.
    if evidence := one_line(gist(problem.evidence)):
        said = Text(evidence, "bright_black")
        said.truncate(width, overflow="ellipsis")
        lines.append(said)
    if problem.note:
        lines += Text(one_line(problem.note), "bright_black").wrap(console, width)
    return lines


def _where(problem: Problem, page: str) -> Text:
    """The number of times that something happened, and the place and time of the last."""
    times = f"{_GAP}{problem.occasions:,} times" if problem.occasions > 1 else ""
    trace = problem.trace_id.hex if problem.trace_id else ""
    at = trace_address(page, trace, problem.message_id or problem.span_id)
    return Text.assemble(
        (f"{times}{_GAP}", "bright_black"),
        (trace[:8], linked("bright_black", at)),
        (f"{_GAP}{problem.last_time.astimezone(UTC):%m-%d %H:%M:%SZ}", "bright_black"),
    )
