"""Child processes: what they are called, and what they are started with."""

import os
import shlex
from typing import Any, Final

from relayscope.conventions.environment import RELAYSCOPE_INSTRUMENT_CHILDREN
from relayscope.instrumentation.launch.python_path import python_path_with_loader
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.channel import Channel

from .command_name import name_of, program_of, words_of

_SERVICE_NAME: Final = "OTEL_SERVICE_NAME"


def channel_to_child(arguments: Any) -> Channel:
    """Return the channel of a child's stdin and stdout, called as what it runs.

    Args:
        arguments: As `subprocess.Popen` takes them: a string, a path, or a sequence of them.
    """
    words = _words(arguments)
    channel = Channel.of_pipes(name_of(words))
    channel.command_line = arguments if isinstance(arguments, str) else shlex.join(words)
    return channel


def _words(arguments: Any) -> list[str]:
    if isinstance(arguments, str | bytes | os.PathLike):
        return words_of(os.fsdecode(arguments))
    return [os.fsdecode(word) for word in arguments]


@shielded
def handed_on(args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments with which `subprocess.Popen` instruments a Python child too.

    A caller may pass on a few variables only, as the `mcp` SDK's stdio client does; telemetry's are
    added to those. The child is called as its command is, unless the caller has another name for it
    than that of this process, which comes along where all variables are passed on.
    """
    if os.environ.get(RELAYSCOPE_INSTRUMENT_CHILDREN, "").lower() != "true":
        return kwargs
    given = kwargs.get("env")
    environment = dict(os.environ if given is None else given)
    own_name = environment.get(_SERVICE_NAME)
    if own_name == os.environ.get(_SERVICE_NAME):
        own_name = None
    for name, value in os.environ.items():
        if name.startswith(("OTEL_", "RELAYSCOPE_")):
            environment.setdefault(name, value)
    arguments = kwargs["args"] if "args" in kwargs else args[0]
    environment[_SERVICE_NAME] = own_name or program_of(_words(arguments))
    environment["PYTHONPATH"] = python_path_with_loader(environment.get("PYTHONPATH", ""))
    return {**kwargs, "env": environment}
