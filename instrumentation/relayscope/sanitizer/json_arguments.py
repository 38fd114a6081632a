"""Passwords in lists of a command's arguments: `["mysql", "-uroot", "-px"]`.

Only these commands are known: `-p` is a port, a path or a project for most others.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from relayscope.sanitizer.json_values import Place


class _Options(NamedTuple):
    """Options of a command.

    Attributes:
        apart: those whose password is the next argument.
        attached: the one whose password follows in the same argument; none if empty.
        has_user: True if a user and a colon stand before the password.
    """

    apart: frozenset[str]
    attached: str
    has_user: bool = False


_MYSQL: Final = _Options(frozenset(), "-p")
_OF: Final[Mapping[str, _Options]] = MappingProxyType(
    {
        **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"), _MYSQL),
        "curl": _Options(
            frozenset({"-u", "--user", "-U", "--proxy-user"}), "--user=", has_user=True
        ),
        "sshpass": _Options(frozenset({"-p"}), "-p"),
        "redis-cli": _Options(frozenset({"-a", "--pass"}), "--pass="),
    }
)
COMMANDS: Final = "|".join(_OF)
"""An expression for the names of the commands."""

_ARGUMENTS: Final = 16
"""Arguments that are looked at. Lists of packages have these names, too, and each argument takes
5 of the work that a text may take."""


def is_command(text: str) -> bool:
    """Return whether a text is one of the commands, perhaps with its folder."""
    return text.rpartition("/")[2] in _OF


def passwords(command: str, arguments: "Iterable[Place]") -> "Iterator[tuple[Place, int]]":
    """Yield the arguments that hold a password, and the characters of each that precede it."""
    options = _OF[command.rpartition("/")[2]]
    before = ""
    for place in islice(arguments, _ARGUMENTS):
        argument = place.value
        if not isinstance(argument, str) or is_command(argument):
            return
        start = 0 if before in options.apart else -1
        if start < 0 and argument.startswith(options.attached) and argument != options.attached:
            start = len(options.attached)
        if start >= 0 and options.has_user:
            start = argument.find(":") + 1 or -1
        if start >= 0:
            yield place, start
        before = argument
