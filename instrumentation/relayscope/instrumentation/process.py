"""The one exchange of this process, made when the first hook needs it.

A program whose messages nobody has to pair has none, and pays for none: to import what one needs
takes as long as all of OpenTelemetry's SDK.
"""

from contextlib import suppress
from typing import TYPE_CHECKING

from .delivery.journal.process_journal import close_account
from .exchange_settings import ExchangeSettings
from .runtime.ending import at_end, end_now
from .runtime.fork import on_fork
from .runtime.making import OnceMade, hold_back_this_fork, times_held_back
from .runtime.shield import shielded
from .traffic.levels import Levels

if TYPE_CHECKING:
    from .exchange import Exchange
    from .process_exchange import ProcessExchange

_settings: ExchangeSettings | None = None


def begin() -> None:
    """Take note of what this process's exchange will be made with."""
    global _settings  # noqa: PLW0603  # one per process is what the pairing of relay hops rests on
    # What is wrong with a variable is told to who needs the exchange.
    with suppress(ValueError, OSError):
        _settings = ExchangeSettings.of_this_process()
    # Runs after the host's exit handlers, which may still have something to say, and before the
    # providers' own, which were registered earlier.
    at_end(_close_all)
    # Fifty processes that are forked share what is made before, and need no time to make it.
    on_fork(before=_make)


def shared_exchange() -> "Exchange":
    """Return this process's exchange.

    Raises:
        ValueError: A variable has a value that it cannot have.
        OSError: The profiles' file cannot be read.
        Untold: It could not be made a moment ago, or this thread is making it.
        TimeoutError: Another thread takes too long to make it.
    """
    return _process_exchange.get().exchange


def set_levels(levels: Levels) -> None:
    """Change what this process records, from the next message on.

    Rules that were set from outside (`relayscope level set`) go on to count before these.
    """
    _process_exchange.get().steering.take_own(levels)


@shielded
def end() -> None:
    """Say all that an ordinary end would say, because a signal is about to end this process."""
    end_now()
    close_account()


def _made() -> "ProcessExchange":
    from .process_exchange import ProcessExchange  # noqa: PLC0415  # takes 0.1 s

    if _settings is None:
        begin()
    return ProcessExchange.of(_settings or ExchangeSettings.of_this_process())


@shielded
def _make() -> None:
    """Make it before a fork, which then waits for all that it would wait for from now on.

    What is registered while a fork is under way is asked before the next one only, but after this
    one, too.
    """
    known = times_held_back()
    _process_exchange.get()
    missed = times_held_back() - known
    if missed:
        from relayscope.sanitizer.fork import wait_for_searches  # noqa: PLC0415  # it was imported meanwhile; a start without messages is to go without it

        hold_back_this_fork(missed)
        wait_for_searches()


@shielded
def _close_all() -> None:
    if _process_exchange.is_made:
        _process_exchange.get().exchange.close_all()


_process_exchange = OnceMade(_made, lambda made: made.begin())
