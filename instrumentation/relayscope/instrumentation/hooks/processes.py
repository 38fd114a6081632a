"""Child processes: what they are called, and what they are started with."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, Final

from opentelemetry.instrumentation import auto_instrumentation

from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.process import CHILDREN_VARIABLE
from relayscope.instrumentation.shield import shielded

_SERVICE_NAME: Final = "OTEL_SERVICE_NAME"


def channel_to_child(arguments: Any) -> Channel:
    """Return the channel of a child's stdin and stdout, called as its command is.

    Args:
        arguments: As `subprocess.Popen` takes them: a string, a path, or a sequence of them.
    """
    return Channel.of_pipes(peer_name(_words(arguments)))


def _words(arguments: Any) -> list[str]:
    if isinstance(arguments, str | bytes | os.PathLike):
        return os.fsdecode(arguments).split()
    return [os.fsdecode(word) for word in arguments]


def peer_name(words: Sequence[str]) -> str:
    """Return a command's first two words, without the folders they are in."""
    command = list(words)
    if command and PurePath(command[0]).name == "relayscope-instrument":
        # Its options take a value each; the "--" behind them may have been lost on the way.
        del command[0]
        while command and command[0].startswith("--"):
            del command[: 1 if command[0] == "--" or "=" in command[0] else 2]
    return " ".join(PurePath(word).name for word in command[:2])


@shielded
def handed_on(args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments with which `subprocess.Popen` instruments a Python child too.

    A caller may pass on a few variables only, as the `mcp` SDK's stdio client does; telemetry's are
    added to those. The child is called as its command is, not as this process.
    """
    if os.environ.get(CHILDREN_VARIABLE, "").lower() != "true":
        return kwargs
    given = kwargs.get("env")
    environment = dict(os.environ if given is None else given)
    own_name = given.get(_SERVICE_NAME) if given is not None else None
    for name, value in os.environ.items():
        if name.startswith(("OTEL_", "RELAYSCOPE_")):
            environment.setdefault(name, value)
    arguments = kwargs["args"] if "args" in kwargs else args[0]
    environment[_SERVICE_NAME] = own_name or _service_name(_words(arguments))
    loader = str(Path(auto_instrumentation.__file__).parent)
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{loader}{os.pathsep}{path}" if path else loader
    return {**kwargs, "env": environment}


def _service_name(words: Sequence[str]) -> str:
    """Return the name of a command's script, or of its program where there is none."""
    scripts = [word for word in words[1:] if word.endswith(".py")]
    return PurePath((scripts or words)[0]).stem
