"""Fixtures live in `fix_*.py`, by subject."""

import signal
import sys
from typing import Final

import pytest

# A shell gives its background jobs an ignored SIGINT, and `nohup` an ignored SIGHUP, which all
# programs that these tests start would inherit; these tests may be such a job.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

pytest_plugins = [
    # Each after what it imports, whose assertions are rewritten only then.
    "tests.fix_postgres",
    "tests.fix_collector",
    "tests.fix_command",
    "tests.fix_delivery",
    "tests.fix_disk",
    "tests.fix_page",
    "tests.fix_programs",
    "tests.fix_proxy",
    "tests.fix_roles",
    "tests.fix_telemetry",
    "tests.fix_levels",
    "tests.collecting",
    "tests.left_out",
    "tests.long_first",
]

_INTERNAL_ERRORS: Final[list[str]] = []


def pytest_internalerror(excrepr: object) -> None:
    """Keep what went wrong within pytest itself, or within one of its workers."""
    _INTERNAL_ERRORS.append(str(excrepr))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Repeat the first internal error last: of a long log, often only its end is kept.

    A worker that cannot report a test ends the run with a later error, which does not say why.
    """
    if len(_INTERNAL_ERRORS) > 1:
        last = "\n".join(_INTERNAL_ERRORS[0].splitlines()[-12:])
        sys.stderr.write(f"First internal error:\n{last}\n")
