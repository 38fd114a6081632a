"""`relayscope-instrument`: run a program with zero code changes and see its MCP traffic."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from relayscope.conventions.environment import (
    RELAYSCOPE_INSTRUMENT_CHILDREN,
    RELAYSCOPE_LEVEL,
    RELAYSCOPE_PROFILE,
    RELAYSCOPE_PROFILES_FILE,
)

from .launch.defaults import set_defaults
from .launch.exec import replace_process
from .launch.isolated_script import advice, opened
from .launch.program import Program
from .launch.python_path import TRACED, python_path_with_loader
from .runtime.stderr import is_quiet
from .traffic.level import Level

_NOT_FOUND: Final = 127
_NOT_RUN: Final = 126
"""The statuses that a shell gives for it."""

_EPILOG = """\
Everything else is set with OpenTelemetry's own OTEL_* variables. Defaults: spans and logs over
OTLP/gRPC to http://127.0.0.1:4317 (OTEL_EXPORTER_OTLP_ENDPOINT), where `relayscope serve` listens.

example: relayscope-instrument --service-name relay -- python relay.py --config backends.yaml
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Set the environment up and become the command; does not return when that works."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.flush or options.redirect:
        _tell(lambda: _flush(options.redirect))
    if options.status:
        _tell(_status)
    if not options.command:
        parser.error("the following arguments are required: command")
    executable = shutil.which(options.command)
    if executable is None:
        parser.exit(
            _NOT_FOUND,
            f"relayscope-instrument: {options.command!r} is not a program on PATH; "
            "for a script, write `python script.py`\n",
        )
    program = Program.named(executable, options.command_arguments)
    lack = program.lack
    if lack is not None:
        if options.force:
            _say(f"{lack.what}: nothing will be seen of this program")
            _become(parser, executable, options.command_arguments)
        parser.exit(
            2,
            f"relayscope-instrument: {lack.what}. {lack.cure}, or run the program untraced with "
            "--force.\n",
        )
    opened_script = opened(program, executable, options.command_arguments, os.environ)
    if opened_script is not None:
        executable, *options.command_arguments = opened_script
        program = Program.named(executable, options.command_arguments)
    _set_environment(options)
    if options.level is not None or options.profile or options.profiles:
        _check_levels(parser)
    if program.unseen:
        why = f"{program.unseen}{advice(program, executable)}"
        _say(f"nothing will be seen of {options.command}: {why}")
    _become(parser, executable, options.command_arguments)


def _become(parser: argparse.ArgumentParser, executable: str, arguments: Sequence[str]) -> NoReturn:
    try:
        replace_process(executable, arguments)
    except OSError as error:
        parser.exit(
            _NOT_RUN,
            f"relayscope-instrument: {executable} cannot be run: {error.strerror or error}\n",
        )


def _check_levels(parser: argparse.ArgumentParser) -> None:
    from .traffic.chosen_levels import chosen_levels  # noqa: PLC0415  # takes 5 ms

    try:
        chosen_levels()
    except (ValueError, OSError) as error:
        parser.exit(2, f"relayscope-instrument: {' '.join(str(error).split())}\n")


def _flush(redirected: Sequence[str]) -> bool:
    from .delivery.flush import flush  # noqa: PLC0415  # imports OpenTelemetry's SDK

    return flush(redirected)


def _status() -> bool:
    from .delivery.status import status  # noqa: PLC0415  # imports OpenTelemetry's SDK

    return status()


def _tell(act: Callable[[], bool]) -> NoReturn:
    """Do what prints; whoever reads it may stop, as `head` does, or nobody does from the start."""
    from .runtime.making import is_scarcity  # noqa: PLC0415  # not where a program is started

    set_defaults()
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the end
    try:
        is_well = act()
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer is written at the end, to nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if not is_scarcity(error):
            raise
        what = str(error) or "no memory is left"
        sys.exit(f"relayscope-instrument: {what}; look at its limits (ulimit -a)")
    sys.exit(0 if is_well else 1)


def _set_environment(options: argparse.Namespace) -> None:
    os.environ["OTEL_PYTHON_DISTRO"] = "relayscope"
    os.environ["OTEL_PYTHON_CONFIGURATOR"] = "relayscope"
    if options.service_name:
        os.environ["OTEL_SERVICE_NAME"] = options.service_name
    if options.level is not None:
        os.environ[RELAYSCOPE_LEVEL] = options.level.name
    if options.profile:
        os.environ[RELAYSCOPE_PROFILE] = options.profile
    if options.profiles:
        os.environ[RELAYSCOPE_PROFILES_FILE] = str(Path(options.profiles).absolute())
    if options.children:
        os.environ[RELAYSCOPE_INSTRUMENT_CHILDREN] = "true"
    # OpenTelemetry's own command adds the working directory: a file `http.py` in it would be taken
    # for the standard library's.
    os.environ.pop(TRACED, None)
    os.environ["PYTHONPATH"] = python_path_with_loader(os.environ.get("PYTHONPATH", ""))


def _say(text: str) -> None:
    """Say something that is no fault of the program's."""
    if sys.stderr is not None and not is_quiet():
        sys.stderr.write(f"relayscope-instrument: {text}\n")
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="relayscope-instrument",
        description=(
            "Run a Python MCP relay, backend or client so that every message it sends and "
            "receives is traced."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    parser.add_argument(
        "--service-name", metavar="NAME", help="what this component is called (OTEL_SERVICE_NAME)"
    )
    parser.add_argument(
        "--level",
        type=_level,
        metavar="LEVEL",
        help=f"what is recorded: {', '.join(level.name for level in Level)} (default: TRACE)",
    )
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="levels as a set: development (TRACE), production (INFO), or one of --profiles",
    )
    parser.add_argument("--profiles", metavar="FILE", help="your own profiles, in YAML")
    parser.add_argument(
        "--children",
        action="store_true",
        help="instrument the Python programs that it starts too",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="run the program, untraced, also where its Python has no relayscope",
    )
    parser.add_argument(
        "--flush",
        action="store_true",
        help="run nothing; send what programs that have ended could not",
    )
    parser.add_argument(
        "--redirect",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="as --flush, and send here, too, what was kept for the collector at ADDRESS",
    )
    parser.add_argument(
        "--status", action="store_true", help="run nothing; say what waits to be sent, and why"
    )
    parser.add_argument("command", nargs="?", default="", help="the program to run")
    parser.add_argument("command_arguments", nargs=argparse.REMAINDER, help="its arguments")
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version  # noqa: PLC0415  # takes 20 ms

        parser.exit(message=f"{version('relayscope')}\n")


def _level(name: str) -> Level:
    try:
        return Level.named(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
