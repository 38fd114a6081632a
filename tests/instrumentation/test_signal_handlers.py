"""Handlers of signals that the host sets do what they would without us, whatever we are doing."""

import json
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from relayscope.instrumentation.hooks.host.signals import HostSignalsInstrumentor
from relayscope.instrumentation.runtime.shield import shielded
from tests.fix_programs import Run, eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

TIMEOUTS = """
import json, signal, sys, time
class Timeout({base}): pass
def handle(*_): raise Timeout
signal.signal(signal.SIGALRM, handle)
def say(number, text=""):
    params = {{"n": number, "text": text}}
    message = {{"jsonrpc": "2.0", "method": "notifications/x", "params": params}}
    sys.stdout.write(json.dumps(message) + "\\n")
say(-1)
lost = 0
for number in range(150):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            say(number, "word " * 2000)
        lost += 1
    except Timeout:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
say(1000)
sys.stderr.write(f"{{lost}} lost")
"""

FIRST = """
import json, signal, sys, time
class Timeout(Exception): pass
def handle(*_): raise Timeout
signal.signal(signal.SIGALRM, handle)
def say(number):
    print(json.dumps({"jsonrpc": "2.0", "method": "notifications/x", "params": {"n": number}}))
signal.setitimer(signal.ITIMER_REAL, 0.03)
try:
    say(0)
    time.sleep(30)
except Timeout:
    sys.stderr.write("timeout")
say(1)
"""

PRINTS = """
import json, signal, sys, time
def say(name):
    message = {"jsonrpc": "2.0", "method": f"notifications/{name}"}
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()
signal.signal(signal.SIGALRM, lambda *_: say("handler"))
signal.setitimer(signal.ITIMER_REAL, 0.03, 0.01)
for _ in range(100):
    say("main")
    time.sleep(0.001)
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def traced(program: str, sink: OtlpSink) -> Run:
    """Run a program to its end."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    return run(instrumented("host", [sys.executable, "-c", program]), environment)


def recorded(sink: OtlpSink) -> list[dict[str, Any]]:
    """Return the messages that have arrived."""
    return [json.loads(record.body.string_value) for _, record in sink.records]


@pytest.mark.parametrize("base", ["Exception", "TimeoutError", "BaseException"])
def test_no_timeout_is_lost_in_our_code(otlp_sink: OtlpSink, base: str) -> None:
    """A timer of 2 ms over messages of 10 kB: each raises, and what follows is recorded."""
    finished = traced(TIMEOUTS.format(base=base), otlp_sink)

    assert (finished.returncode, finished.stderr) == (0, "0 lost")
    eventually(lambda: any(each["params"]["n"] == 1000 for each in recorded(otlp_sink)))


def test_a_timeout_during_the_first_message_is_the_hosts(otlp_sink: OtlpSink) -> None:
    """It comes to the host as soon as all is made, and all is made."""
    finished = traced(FIRST, otlp_sink)

    assert (finished.returncode, finished.stderr) == (0, "timeout")
    eventually(lambda: {each["params"]["n"] for each in recorded(otlp_sink)} == {0, 1})


def test_what_a_handler_prints_is_recorded(otlp_sink: OtlpSink) -> None:
    """Also while the first message makes all that records: nothing breaks, and all is there."""
    finished = traced(PRINTS, otlp_sink)

    assert (finished.returncode, finished.stderr) == (0, "")
    lines = [json.loads(line)["method"] for line in finished.stdout.splitlines()]
    assert set(lines) == {"notifications/main", "notifications/handler"}
    eventually(lambda: len(recorded(otlp_sink)) == len(lines))
    assert sorted(each["method"] for each in recorded(otlp_sink)) == sorted(lines)


@pytest.fixture
def hooked() -> Any:
    """The hook, for as long as the test lasts."""
    before = signal.getsignal(signal.SIGUSR1)
    hook = HostSignalsInstrumentor()
    hook.instrument(skip_dep_check=True)
    yield hook
    hook.uninstrument()
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("hooked")
def test_a_host_finds_the_handlers_that_it_has_set() -> None:
    """Whoever sets one is given the one before, and can put it back."""

    def handle(*_: object) -> None:
        """Do nothing."""

    before = signal.signal(signal.SIGUSR1, handle)
    assert signal.getsignal(signal.SIGUSR1) is handle
    assert signal.signal(signalnum=signal.SIGUSR1, handler=signal.SIG_IGN) is handle
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    signal.signal(signal.SIGUSR1, before)
    assert signal.getsignal(signal.SIGUSR1) is before
    with pytest.raises(TypeError):
        signal.signal(signal.SIGUSR1)  # type: ignore[call-arg]  # as a host may by mistake
    with pytest.raises(TypeError):
        signal.signal(signal.SIGUSR1, "handler")  # type: ignore[arg-type]  # the same


@pytest.mark.usefixtures("hooked")
def test_a_handler_runs_after_our_code_and_not_within() -> None:
    """However deep; handlers run at once where they interrupt the host or a handler."""
    order: list[str] = []

    def nested(*_: object) -> None:
        order.append("second")

    def handle(*_: object) -> None:
        signal.raise_signal(signal.SIGUSR2)
        order.append("first")

    def within(act: Callable[[], None]) -> Callable[[], None]:
        def ours() -> None:
            act()
            order.append("ours")

        return shielded(ours)

    before = signal.signal(signal.SIGUSR2, nested)
    try:
        signal.signal(signal.SIGUSR1, handle)
        within(within(lambda: signal.raise_signal(signal.SIGUSR1)))()
        assert order == ["ours", "ours", "second", "first"]
        order.clear()
        signal.raise_signal(signal.SIGUSR1)
        assert order == ["second", "first"]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_handlers_that_were_set_before_wait_too_and_are_put_back() -> None:
    """A host may be instrumented late, and no more."""

    def handle(*_: object) -> None:
        raise ValueError("of the host")

    before = signal.signal(signal.SIGUSR1, handle)
    hook = HostSignalsInstrumentor()
    hook.instrument(skip_dep_check=True)
    try:
        ours = shielded(lambda: signal.raise_signal(signal.SIGUSR1))
        with pytest.raises(ValueError, match="of the host"):
            ours()
    finally:
        hook.uninstrument()
        after = signal.signal(signal.SIGUSR1, before)
    assert after is handle
