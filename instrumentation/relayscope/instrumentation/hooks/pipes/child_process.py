"""Child processes: what they are called, and what they are started with."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from socket import socket
from typing import Any, Final

from relayscope.conventions.environment import RELAYSCOPE_INSTRUMENT_CHILDREN
from relayscope.instrumentation.launch.defaults import without_ours
from relayscope.instrumentation.launch.python_path import (
    TRACED,
    python_path_with_loader,
    python_path_without_loader,
)
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.channel import Channel

from .command_name import name_of, program_of, words_of

_SERVICE_NAME: Final = "OTEL_SERVICE_NAME"
_PYTHONPATH: Final = "PYTHONPATH"
_POSITIONAL: Final = ("args", "bufsize", "executable", "stdin", "stdout")
"""The first parameters of `subprocess.Popen`."""


def channel_to_child(arguments: Any) -> Channel:
    """Return the channel of a child's stdin and stdout, called as what it runs.

    Args:
        arguments: As `subprocess.Popen` takes them: a string, a path, or a sequence of them.
    """
    words = _words(arguments)
    channel = Channel.of_pipes(name_of(words))
    channel.command_line = arguments if isinstance(arguments, str) else shlex.join(words)
    return channel


def given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` by their names, as far as stdout."""
    return dict(zip(_POSITIONAL, args, strict=False)) | kwargs


def is_piped(given: Mapping[str, Any]) -> bool:
    """Return whether a child would have had pipes to this process for both stdin and stdout.

    asyncio has a socket for stdin where its loop cannot watch the writing end of a pipe.
    """
    stdin = given.get("stdin")
    is_written = stdin == subprocess.PIPE or isinstance(stdin, socket)
    return is_written and bool(given.get("stdout") == subprocess.PIPE)


def _words(arguments: Any) -> list[str]:
    if isinstance(arguments, str | bytes | os.PathLike):
        return words_of(os.fsdecode(arguments))
    return [os.fsdecode(word) for word in arguments]


@shielded
def handed_on(args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments with which `subprocess.Popen` instruments a Python child too.

    Unless that is asked for, they are those with which it leaves the child alone. A caller may pass
    on a few variables only, as the `mcp` SDK's stdio client does; telemetry's are added to those.
    The child is called as its command is, unless the caller has another name for it than that of
    this process, which comes along where all variables are passed on.
    """
    if os.environ.get(RELAYSCOPE_INSTRUMENT_CHILDREN, "").lower() != "true":
        return _alone(args, kwargs)
    given = kwargs.get("env")
    environment = dict(os.environ if given is None else given)
    own_name = environment.get(_SERVICE_NAME)
    if own_name == os.environ.get(_SERVICE_NAME):
        own_name = None
    for name, value in os.environ.items():
        if name.startswith(("OTEL_", "RELAYSCOPE_")):
            environment.setdefault(name, value)
    environment[_SERVICE_NAME] = own_name or program_of(_words(_arguments(args, kwargs)))
    environment.pop(TRACED, None)
    environment[_PYTHONPATH] = python_path_with_loader(environment.get(_PYTHONPATH, ""))
    return {**kwargs, "env": environment}


def _alone(args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take out of a child's variables what instruments this process.

    Another Python may lack what is loaded from there, and says so on stderr; and what is recorded
    of a child would be under the name of this process. A program that starts itself anew, as those
    do that reload, goes on as what it is.
    """
    given = kwargs.get("env")
    variables = os.environ if given is None else given
    python_path = variables.get(_PYTHONPATH)
    if not isinstance(python_path, str):
        return kwargs
    if _is_this_program(_words(_arguments(args, kwargs))):
        return {**kwargs, "env": {key: variables[key] for key in variables if key != TRACED}}
    others = python_path_without_loader(python_path)
    if others == python_path:
        return kwargs
    environment = without_ours(variables)
    environment[_PYTHONPATH] = others
    if not others:
        del environment[_PYTHONPATH]
    return {**kwargs, "env": environment}


def _is_this_program(words: list[str]) -> bool:
    return len(words) > 1 and words[1:] in (sys.orig_argv[1:], sys.argv)


def _arguments(args: Any, kwargs: Any) -> Any:
    return kwargs["args"] if "args" in kwargs else args[0]
