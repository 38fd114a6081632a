"""Passwords in lists of a command's arguments: `["mysql", "-uroot", "-px"]`.

Only these commands are known: `-p` is a port, a path or a project for most others. The rules
`command-password` and `command-login` know them as text of a shell.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from .values import Place


class _Options(NamedTuple):
    """Options of a command.

    Attributes:
        apart: those whose password is the next argument.
        attached: those whose password follows in the same argument.
        behind: the sign between the user and the password; none if empty.
        verb: an argument without which its options are others; none if empty.
    """

    apart: frozenset[str] = frozenset()
    attached: tuple[str, ...] = ()
    behind: str = ""
    verb: str = ""


def _short(option: str) -> _Options:
    return _Options(frozenset({option}), (option,))


_MYSQL: Final = _Options(attached=("-p",))
_USER: Final = _Options(frozenset({"-a", "--auth"}), ("--auth=",), ":")
_SAMBA: Final = _Options(frozenset({"-U", "--user"}), ("-U", "--user="), "%")
_LOGIN: Final = _Options(frozenset({"-p"}), verb="login")
_ORACLE: Final = _Options(behind="/")
_OPENSSL: Final = _Options(frozenset({"-k"}), ("pass:",))
_APART: Final = _Options(frozenset({"-p"}))

_CURL: Final = _Options(frozenset({"-u", "--user", "-U", "--proxy-user"}), ("-u", "--user="), ":")
_REDIS: Final = _Options(frozenset({"-a", "--pass"}), ("--pass=",))
_TABLE: Final = (
    (
        "mysql mysqldump mysqladmin mysqlimport mysqlsh mariadb mariadb-dump 7z 7za unrar",
        _MYSQL,
    ),
    ("mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh twine psexec", _APART),
    ("zip unzip ipmitool sqlcmd mosquitto_pub mosquitto_sub", _short("-P")),
    ("ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd", _short("-w")),
    ("docker podman nerdctl helm oras skopeo", _LOGIN),
    ("smbclient", _SAMBA),
    ("sqlplus", _ORACLE),
    ("redis-cli valkey-cli", _REDIS),
    ("http https", _USER),
    ("curl", _CURL),
    ("lftp", _Options(frozenset({"-u"}), ("-u",), ",")),
    ("sshpass", _short("-p")),
    ("ssh-keygen", _Options(frozenset({"-N", "-P"}))),
    ("openssl", _OPENSSL),
)
_OF: Final[Mapping[str, _Options]] = MappingProxyType(
    {command: options for commands, options in _TABLE for command in commands.split()}
)
COMMANDS: Final = rf'"(?:/usr/(?:local/)?bin/)?(?:{"|".join(_OF)})\\*"'
"""An expression for the names of the commands."""

OPTION: Final = (
    r'"-(?:[pPwuUakN]|-(?:user|auth|pass|proxy-user)|passin|passout)|"pass:|"sqlplus\\*"'
)
"""One of these is in every list with a password, and in hardly any other text."""

_ARGUMENTS: Final = 16
"""Arguments that are looked at. Lists of packages have these names, too, and each argument takes
5 of the work that a text may take."""

_ORACLE_USER = re.compile(r"(?:userid=)?[A-Za-z][\w$#.]{0,63}/(?=[^/@]+(?:@|\Z))")


def is_command(text: str) -> bool:
    """Return whether a text is one of the commands, perhaps with its folder."""
    return text.rpartition("/")[2] in _OF


def passwords(command: str, arguments: "Iterable[Place]") -> "Iterator[tuple[Place, int]]":
    """Yield the arguments that hold a password, and the characters of each that precede it."""
    options = _OF[command.rpartition("/")[2]]
    before, is_meant = "", not options.verb
    for place in islice(arguments, _ARGUMENTS):
        argument = place.value
        if not isinstance(argument, str) or is_command(argument):
            return
        is_meant = is_meant or argument == options.verb
        start = _start(options, before, argument) if is_meant else -1
        if start >= 0:
            yield place, start
        before = argument


def _start(options: _Options, before: str, argument: str) -> int:
    """Return where the password starts in an argument; less than 0 if there is none."""
    if options is _ORACLE:
        user = _ORACLE_USER.match(argument)
        return user.end() if user else -1
    start = 0 if before in options.apart and not argument.startswith("-") else -1
    if start < 0:
        lengths = (
            len(each) for each in options.attached if argument.startswith(each) and argument != each
        )
        start = next(lengths, -1)
    if start >= 0 and options.behind:
        return argument.find(options.behind, start) + 1 or -1
    return start
