"""Values as the page writes them: the filters of its templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from markupsafe import Markup, escape

from relayscope.collector.query import tokens
from relayscope.collector.text.message_summary import gist
from relayscope.collector.text.printable import lines, stretches
from relayscope.collector.text.quantities import duration_text, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

LONGEST: Final = 8000
"""Characters of a value in an address: quoted they are three times as many, and a request has
64 KiB for its head. A stranger's name may have more."""


def visible(value: object) -> object:
    """Write out characters that cannot be seen, or turn text around.

    Text of templates and line feeds stay as they are.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "\n".join(lines(value.replace("\r\n", "\n")))


def escaped(text: str) -> str:
    """A text as templates write it, for markup that is made without one."""
    return escape(visible(text))


def marked(text: str) -> Markup:
    """A text with what cannot be seen written out, and marked: it may say an escape itself.

    Line feeds and tabs stay as they are.
    """
    return Markup("\n").join(
        Markup("\t").join(map(marked_line, line.split("\t"))) for line in text.split("\n")
    )


def marked_line(text: str) -> Markup:
    """The same on one line."""
    if text.isprintable():
        return escape(text)
    return Markup().join(
        Markup('<span class="escape">{}</span>').format(piece) if is_escape else escape(piece)
        for piece, is_escape in stretches(text)
    )


def length(value: timedelta | None) -> str:
    """A length of time in the unit that fits it."""
    return "" if value is None else duration_text(round(value / timedelta(microseconds=1)) * 1000)


def number(value: int | None) -> str:
    """A count, with a sign between thousands."""
    return "" if value is None else f"{value:,}"


def unit(count: int | None, one: str) -> str:
    """The unit of a number: singular for one, plural for all others."""
    return one if count == 1 else f"{one}{'es' if one.endswith('s') else 's'}"


def iso(value: datetime | None) -> str:
    """A time as `<time datetime>` has it."""
    if value is None:
        return ""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc(value: datetime | None) -> str:
    """A time in UTC, as people read it where no script runs."""
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def hex32(value: UUID | None) -> str:
    """A trace id as OpenTelemetry writes it."""
    return "" if value is None else value.hex


def cut(text: str | None, most: int = 200) -> str:
    """The beginning of a text; that it goes on is said."""
    return "" if text is None else text if len(text) <= most else f"{text[: most - 1]}…"


def address(path: str, parameters: Mapping[str, object], **others: object) -> str:
    """An address of ours; a parameter that is None, empty or too long for one is left out."""
    pairs = [
        (name, one)
        for name, value in {**parameters, **others}.items()
        if value not in (None, "")
        for one in (value if isinstance(value, (list, tuple)) else (value,))
        if len(str(one)) <= LONGEST
    ]
    return f"{path}?{urlencode(pairs)}" if pairs else path


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "marked": marked,
    "marked_line": marked_line,
    "duration": length,
    "number": number,
    "unit": unit,
    "iso": iso,
    "utc": utc,
    "hex": hex32,
    "cut": cut,
    "gist": lambda text: gist(text) if text else "",
    "tokens_of": lambda text: f"{'' if tokens.are_counted() else '≈ '}{tokens.count(text):,}",
    "size": lambda size: "" if size is None else size_text(size),
    "address": address,
}
"""By the names that templates call them."""
