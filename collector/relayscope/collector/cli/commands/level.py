"""`relayscope level`: how much is recorded, for each component, while it runs."""

from __future__ import annotations

import functools
import getpass
import re
from typing import TYPE_CHECKING, Any, Final

import click

from relayscope.collector.cli.options import CommandFailed, settings_options
from relayscope.collector.levels import LEVELS
from relayscope.collector.levels.client import Collector
from relayscope.collector.render.level_list import lines
from relayscope.collector.render.level_reach import unreached
from relayscope.conventions.environment import RELAYSCOPE_COLLECTOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from relayscope.collector.config.settings import Settings

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Duration(click.ParamType[float]):
    """A number and a unit."""

    name = "duration"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", str(value))
        if match is None or not float(match[1]):
            self.fail(f"{value!r} is no time; write 90s, 10m, 2h or 1d", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


def _some(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse what is empty, as a variable without a value is: it would select all."""
    if value == "":
        raise click.BadParameter("it is empty; give a pattern, `*` for all")
    return value


def _about(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a component and what else selects messages."""
    pattern = functools.partial(click.option, callback=_some, metavar="PATTERN")
    options = (
        click.argument("component", callback=_some),
        pattern("--peer", help="Only of peers like `*:9060`."),
        pattern("--method", help="Only of methods like `tools/*`."),
        pattern("--tool", help="Only of tools or prompts like these."),
        click.option(
            "--direction", type=click.Choice(["sent", "received"]), help="Only one of the two."
        ),
        click.option(
            "--host-logs", is_flag=True, help="The host's own log records, instead of messages."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _collector(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the collector to ask."""

    @functools.wraps(command)
    def with_collector(*, settings: Settings, collector: str | None, **arguments: Any) -> None:
        try:
            asked = Collector.of(settings, collector)
            command(collector=asked, **arguments)
        except ValueError as error:
            raise CommandFailed(str(error)) from None

    with_settings = settings_options("http")(with_collector)
    return click.option(
        "--collector",
        envvar=RELAYSCOPE_COLLECTOR,
        metavar="URL",
        help="Which collector to ask. [default: the one of the settings]",
    )(with_settings)


@click.group()
def level() -> None:
    """Change how much is recorded, while it runs.

    A token of the role `admin` is needed where the collector has tokens: that of the settings, or
    RELAYSCOPE_COLLECTOR_TOKEN.
    """


@level.command("set")
@_about
@click.argument("level", type=click.Choice(LEVELS, case_sensitive=False))
@click.option("--for", "seconds", type=_Duration(), metavar="TIME", help="Such as 90s, 10m, 2h.")
@_collector
def set_(*, collector: Collector, seconds: float | None, level: str, **about: Any) -> None:
    """Record at another level: all messages of a component, or those that are selected.

    COMPONENT is a pattern: `relay`, `*-backend`. A rule about fewer messages counts before one
    about all; of two, the newer one. Whom it does not reach is said on stderr.
    """
    wish = {name: value for name, value in about.items() if value}
    collector.set(
        {**wish, "level": level, "by": _user()} | ({"seconds": seconds} if seconds else {})
    )
    for line in unreached(collector.list(), about["component"], collector.url):
        click.echo(line, err=True)


@level.command()
@_about
@_collector
def reset(*, collector: Collector, **about: Any) -> None:
    """End the rules of a component: it records again as it was started.

    With selectors, only the rule with the same ones ends.
    """
    given = {name: str(value).lower() if value is True else value for name, value in about.items()}
    ended = collector.reset({**{name: v for name, v in given.items() if v}, "by": _user()})
    if not ended:
        component = about["component"]
        raise CommandFailed(f"no such rule for {component!r}: see `relayscope level list`")


@level.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@_collector
def list_(*, collector: Collector, as_json: bool) -> None:
    """List rules, and processes with their level and whether they have taken these."""
    found = collector.list()
    for line in lines(found, as_json=as_json):
        click.echo(line)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
