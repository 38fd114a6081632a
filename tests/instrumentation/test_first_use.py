"""The parts that record messages are made when a program first needs them, and miss nothing."""

import sys
from pathlib import Path

import pytest

from tests.fix_delivery import forwarders
from tests.fix_programs import Run, eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

REQUEST = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{"mark":"first"}}'


def traced(program: str, sink: OtlpSink, stdin: str = "") -> Run:
    """Run a program and check that it ends well and says nothing on stderr."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    finished = run(instrumented("host", [sys.executable, "-c", program]), environment, stdin)
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished


def texts(sink: OtlpSink) -> list[str]:
    """Return what was recorded of messages, as far as it has come."""
    return [record.body.string_value for _, record in sink.records]


@pytest.mark.processes
def test_a_program_that_records_nothing_makes_nothing(otlp_sink: OtlpSink, spool_dir: Path) -> None:
    """Neither an exchange nor a sanitizer nor a spool: it starts in the time of OpenTelemetry."""
    dear = {"exchange", "delivery.journal.journal", "recording.message_log"}
    loaded = "{name for name in sys.modules if name.startswith('relayscope.')}"
    program = f"import os, sys; os.write(1, ' '.join({loaded}).encode())"

    modules = traced(program, otlp_sink).stdout.split()

    assert "relayscope.instrumentation.process" in modules
    assert not {f"relayscope.instrumentation.{name}" for name in dear} & set(modules)
    assert not [name for name in modules if name.startswith(("relayscope.san", "relayscope.spo"))]
    assert [*spool_dir.iterdir()] == []
    assert forwarders(spool_dir) == []


WRITES = {
    "print": f"print('{ANSWER}')",
    "text": f"import sys; sys.stdout.write('{ANSWER}\\n')",
    "lines": f"import sys; sys.stdout.writelines(['{ANSWER}', '\\n'])",
    "bytes": f"import sys; sys.stdout.buffer.write(b'{ANSWER}\\n')",
    "kept": f"import sys; out = sys.__stdout__; out.write('{ANSWER}\\n')",
    "at exit": f"import atexit; atexit.register(print, '{ANSWER}')",
    "thread": f"import threading; threading.Thread(target=print, args=['{ANSWER}']).start()",
    "child": (
        "import subprocess, sys\n"
        f"command = [sys.executable, '-c', '''import os; os.write(1, b'{ANSWER}')''']\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.communicate()"
    ),
    "asyncio's child": (
        "import asyncio, sys\n"
        "async def main():\n"
        "    child = await asyncio.create_subprocess_exec(\n"
        "        sys.executable, '-c', "
        f"'''import os; os.write(1, b'{ANSWER}')''', stdin=-1, stdout=-1)\n"
        "    await child.communicate()\n"
        "asyncio.run(main())"
    ),
}
READS = {
    "input": "input()",
    "line": "import sys; sys.stdin.readline()",
    "all": "import sys; sys.stdin.read()",
    "iterated": "import sys; [*sys.stdin]",
    "bytes": "import sys; sys.stdin.buffer.readline()",
    "raw": "import sys; sys.stdin.buffer.raw.read(1000)",
    "asyncio": (
        "import asyncio, sys\n"
        "async def main():\n"
        "    reader = asyncio.StreamReader()\n"
        "    await asyncio.get_running_loop().connect_read_pipe(\n"
        "        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)\n"
        "    await reader.readline()\n"
        "asyncio.run(main())"
    ),
}


@pytest.mark.parametrize("way", WRITES)
def test_the_first_message_that_a_program_writes_is_recorded(otlp_sink: OtlpSink, way: str) -> None:
    """In whichever way: no library has been imported that would have made anything before."""
    traced(WRITES[way], otlp_sink)

    eventually(lambda: ANSWER in texts(otlp_sink))


@pytest.mark.parametrize("way", READS)
def test_the_first_message_that_a_program_reads_is_recorded(otlp_sink: OtlpSink, way: str) -> None:
    """In whichever way."""
    traced(READS[way], otlp_sink, f"{REQUEST}\n")

    eventually(lambda: texts(otlp_sink) == [REQUEST])


def test_the_first_record_that_a_program_logs_is_exported(otlp_sink: OtlpSink) -> None:
    """Also one from an exit handler that was registered before."""
    program = (
        "import atexit, logging; log = logging.getLogger('host'); "
        "log.addHandler(logging.NullHandler()); "
        "atexit.register(log.warning, 'last words'); log.warning('first')"
    )
    traced(program, otlp_sink)

    eventually(
        lambda: (
            [record.body.string_value for _, record in otlp_sink.logs] == ["first", "last words"]
        )
    )


def test_the_hosts_exit_handlers_may_still_exchange_messages(otlp_sink: OtlpSink) -> None:
    """Calls are ended after them, also where they were registered before the first message."""
    later = REQUEST.replace('"id":1', '"id":2')
    traced(f"import atexit; atexit.register(print, '{later}'); print('{REQUEST}')", otlp_sink)

    eventually(lambda: (len(otlp_sink.records), len(otlp_sink.spans)) == (2, 2))


CHANGED = f"""
import os
for name in [*os.environ]:
    if name.startswith(("OTEL_", "RELAYSCOPE_")):
        del os.environ[name]
os.environ["RELAYSCOPE_LEVEL"] = "OFF"
print('{ANSWER}')
"""


def test_what_the_host_does_to_its_environment_comes_too_late(otlp_sink: OtlpSink) -> None:
    """It is recorded as it was asked for at the start, and sent to where it was asked for."""
    traced(CHANGED, otlp_sink)

    eventually(lambda: [component for component, _ in otlp_sink.records] == ["host"])


OWN_SDK = f"""
from opentelemetry import trace, _logs
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk._logs import LoggerProvider
trace.set_tracer_provider(TracerProvider())
_logs.set_logger_provider(LoggerProvider())
print('{REQUEST}')
"""


def test_a_host_may_set_its_own_sdk_up_before_its_first_message(otlp_sink: OtlpSink) -> None:
    """Its providers take the place of ours for itself; messages are still recorded with ours."""
    traced(OWN_SDK, otlp_sink)

    eventually(lambda: otlp_sink.records and otlp_sink.spans)


# Importing what records messages waits until the other thread is about to write or to fork.
BESIDE = """
import os, sys, threading
begun, beside = threading.Event(), threading.Event()
class Waits:
    def find_spec(self, name, *_):
        if name == "relayscope.instrumentation.process_exchange":
            begun.set()
            beside.wait(60)
sys.meta_path.insert(0, Waits())
line = '{"jsonrpc":"2.0","id":1,"method":"%s"}\\n'
first = threading.Thread(target=lambda: sys.stdout.write(line % "one"))
first.start()
begun.wait(60)
"""
WRITING = """
beside.set()
sys.stdout.write(line % "two")
first.join()
"""
FORKING = """
os.register_at_fork(before=beside.set)
child = os.fork()
if child == 0:
    sys.stdout.write(line % "two")
    sys.stdout.flush()
    os._exit(0)
first.join()
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("program", [WRITING, FORKING], ids=["writing", "forking"])
def test_what_crosses_while_all_is_being_made_is_recorded(
    otlp_sink: OtlpSink, program: str
) -> None:
    """By another thread, or by a child that is forked meanwhile, which does not hang."""
    traced(BESIDE + program, otlp_sink)

    eventually(lambda: len(otlp_sink.records) == 2)
    methods = sorted(text.rsplit('"', 2)[1] for text in texts(otlp_sink))
    assert methods == ["one", "two"]


def test_a_child_that_is_forked_before_is_a_process_of_its_own(otlp_sink: OtlpSink) -> None:
    """It makes its own exchange and journal, under an identity of its own."""
    program = (
        "import os, sys\n"
        "child = os.fork()\n"
        """print('{"jsonrpc":"2.0","id":%d,"method":"ping"}' % (1 if child else 2), flush=True)\n"""
        "if child: os.waitpid(child, 0)\n"
        "else: os._exit(0)"
    )
    traced(program, otlp_sink)

    eventually(lambda: len(otlp_sink.records) == 2)


def test_what_cannot_be_made_is_told_once(otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """The host goes on as if nothing were there, and does not pay for each message."""
    (tmp_path / "msgpack.py").write_text("raise OSError('broken')")
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfor _ in range(9): print('[1]')"

    finished = run(instrumented("host", [sys.executable, "-c", program]), environment)

    assert (finished.returncode, finished.stdout) == (0, "[1]\n" * 9)
    assert finished.stderr.count("OSError: broken") == 1, finished.stderr


def test_a_last_word_while_the_interpreter_goes_away_is_no_failure(otlp_sink: OtlpSink) -> None:
    """An object's `__del__` may print when no module can be imported any more."""
    program = "class Last:\n    def __del__(self): print('bye')\nlast = Last()"

    assert traced(program, otlp_sink).stdout == "bye\n"
