"""Children that uvloop starts, which does so without `subprocess.Popen` and keeps no command."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, NamedTuple

from relayscope.instrumentation.hooks.patches import Patches, Wrapper
from relayscope.instrumentation.runtime.shield import shielded

from . import child_process
from .child_end import ChildEnd

_COMMAND: Final = "_relayscope_command"
"""Name of the attribute of a protocol that has the command of its child."""


class UvloopChild(NamedTuple):
    """The child, in the words of `subprocess.Popen`.

    Attributes:
        args: Its command.
        pid: Its process id.
    """

    args: Any
    pid: int


def patch_starts(patches: Patches) -> None:
    """Notice children as they are started."""
    patches.wrap("uvloop", "Loop.subprocess_exec", _starting(list))
    patches.wrap("uvloop", "Loop.subprocess_shell", _starting(itemgetter(0)))


def child_of(protocol: Any, transport: Any) -> UvloopChild | None:
    """Return the child behind a protocol; None if it is not uvloop's."""
    command = vars(protocol).get(_COMMAND)
    return None if command is None else UvloopChild(command, transport.get_pid())


def tell_exit_of(protocol: Any, transport: Any, end: ChildEnd) -> str:
    """Let the end know when the protocol is told of it; return the name of what is replaced."""
    own_process_exited = protocol.process_exited

    @shielded
    def tell() -> None:
        end.exited(transport.get_returncode())

    def process_exited() -> None:
        tell()
        own_process_exited()

    vars(protocol)["process_exited"] = process_exited
    return "process_exited"


def _starting(command_of: Callable[[list[Any]], Any]) -> Wrapper:
    def start(wrapped: Callable[..., Any], _loop: Any, args: Any, kwargs: Any) -> Any:
        changed = _changed(command_of, args, kwargs)
        if changed is not None:
            args, kwargs = changed
        return wrapped(*args, **kwargs)

    return start


@shielded
def _changed(
    command_of: Callable[[list[Any]], Any], args: Any, kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Return the arguments with which a child is started as `subprocess.Popen` would start it."""
    make_protocol, *words = args
    command = command_of(words)

    def make() -> Any:
        protocol = make_protocol()
        _remember(protocol, command)
        return protocol

    handed_on = child_process.handed_on((command,), kwargs)
    return (make, *words), kwargs if handed_on is None else handed_on


@shielded
def _remember(protocol: Any, command: Any) -> None:
    vars(protocol)[_COMMAND] = command
