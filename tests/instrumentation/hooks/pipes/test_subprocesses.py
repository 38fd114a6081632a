"""Promises about the hook for child processes: a relay's stdio backends."""

import sys
from pathlib import Path

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import CHANNEL_EXIT_SIGNAL, PEER, PROCESS_EXIT_CODE
from relayscope.conventions.environment import RELAYSCOPE_INSTRUMENT_CHILDREN
from relayscope.conventions.events import EVENT_CHANNEL_CLOSED
from tests.fix_programs import PROGRAMS, eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

CALL = '{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}'
LINE = CALL + "\n"

POPEN = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, %s)
child.stdin.write(%s); child.stdin.flush()
print(repr(child.stdout.readline()))
child.stdin.close(); child.stdout.close(); child.wait()
"""
ASYNCIO = """
import asyncio, sys
async def main():
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*sys.argv[1:], stdin=pipe, stdout=pipe)
    child.stdin.write(%r)
    await child.stdin.drain()
    print(await child.stdout.readline())
    child.stdin.close()
    await child.wait()
asyncio.run(main())
"""
ANYIO = """
import anyio, sys
async def main():
    async with await anyio.open_process(sys.argv[1:], stderr=None) as child:
        await child.stdin.send(%r)
        answer = b""
        while not answer.endswith(b"\\n"):
            answer += await child.stdout.receive()
        print(answer)
        await child.stdin.aclose()
anyio.run(main)
"""
COMMUNICATE = """
import subprocess, sys
pipe = subprocess.PIPE
child = subprocess.Popen(sys.argv[1:], stdin=pipe, stdout=pipe, stderr=%s)
print(child.communicate(%s)[0])
assert child.stdin.closed and child.stdout.closed
"""
RUN = """
import subprocess, sys
run = {"capture_output": True, "text": True, "timeout": 60}
print(repr(subprocess.run(sys.argv[1:], input=%r, **run).stdout))
"""
AGAIN = """
import subprocess, sys
pipe = subprocess.PIPE
child = subprocess.Popen(sys.argv[1:], stdin=pipe, stdout=pipe)
try:
    child.communicate(%r, timeout=0.001)
except subprocess.TimeoutExpired:
    pass
print(child.communicate()[0])
"""


def on_uvloop(program: str) -> str:
    """Return a program for asyncio or anyio that runs on the loop of uvicorn and LiteLLM."""
    return program.replace("asyncio.run(main())", "import uvloop; uvloop.run(main())").replace(
        "anyio.run(main)", "anyio.run(main, backend_options={'use_uvloop': True})"
    )


PARENTS = {
    "communicate": COMMUNICATE % (None, repr(LINE.encode())),
    "communicate, and stderr": COMMUNICATE % ("pipe", repr(LINE.encode())),
    "communicate, twice": AGAIN % LINE.encode(),
    "run": RUN % LINE,
    "Popen, text": POPEN % ("text=True", repr(LINE)),
    "Popen, bytes": POPEN % ("bufsize=-1", repr(LINE.encode())),
    "Popen, unbuffered": POPEN % ("bufsize=0", repr(LINE.encode())),
    "asyncio": ASYNCIO % LINE.encode(),
    "anyio": ANYIO % LINE.encode(),
    "uvloop": on_uvloop(ASYNCIO % LINE.encode()),
    "uvloop, anyio": on_uvloop(ANYIO % LINE.encode()),
}


@pytest.mark.parametrize("parent", PARENTS)
def test_a_call_to_a_child_is_recorded_on_both_sides(otlp_sink: OtlpSink, parent: str) -> None:
    """The child is instrumented too, where that is asked for, and named after its script."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    environment[RELAYSCOPE_INSTRUMENT_CHILDREN] = "true"
    child = [sys.executable, str(PROGRAMS / "busy_backend.py"), "stdio"]

    finished = run(
        instrumented("parent", [sys.executable, "-c", PARENTS[parent], *child]), environment
    )

    assert finished.returncode == 0, finished.stderr
    assert '"result"' in finished.stdout
    eventually(lambda: len(otlp_sink.records) == 4 and len(otlp_sink.spans) == 2)
    spans = dict(otlp_sink.spans)
    assert spans.keys() == {"parent", "busy_backend"}
    assert spans["parent"].kind == Span.SPAN_KIND_CLIENT
    assert spans["busy_backend"].parent_span_id == spans["parent"].span_id
    peers = {
        item.value.string_value
        for component, record in otlp_sink.records
        for item in record.attributes
        if component == "parent" and item.key == PEER
    }
    assert peers == {"python busy_backend.py"}


SHOW = "import os, sys; print(sorted(os.environ.items()), sys.path, type(sys.stdout).__name__)"
ALONE = {
    "run": "subprocess.run([sys.executable, '-c', SHOW])",
    "run, all variables": "subprocess.run([sys.executable, '-c', SHOW], env=dict(os.environ))",
    "a shell": "subprocess.run(f'{sys.executable} -c \"{SHOW}\"', shell=True)",
    "asyncio": "asyncio.run(main())",
    "uvloop": on_uvloop("asyncio.run(main())"),
    "uvloop, a shell": on_uvloop("asyncio.run(main())").replace("main()", "in_a_shell()"),
}


@pytest.mark.parametrize("start", ALONE)
@pytest.mark.parametrize("python_path", [None, "/nowhere"])
def test_a_child_is_left_alone_unless_it_is_asked_for(start: str, python_path: str | None) -> None:
    """Its variables and its import path are those that it has where nothing is traced."""
    environment = host_environment(OTEL_SERVICE_NAME="parent")
    if python_path:
        environment["PYTHONPATH"] = python_path
    program = f"""
import asyncio, os, subprocess, sys
SHOW = {SHOW!r}
async def main():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", SHOW)
    await child.wait()
async def in_a_shell():
    child = await asyncio.create_subprocess_shell(f'{{sys.executable}} -c "{{SHOW}}"')
    await child.wait()
{ALONE[start]}
"""
    bare = run([sys.executable, "-c", program], environment)
    traced = run(instrumented("parent", [sys.executable, "-c", program]), environment)

    assert "TextIOWrapper" in bare.stdout
    assert traced.stdout == bare.stdout


def test_a_program_that_starts_itself_anew_stays_traced(otlp_sink: OtlpSink) -> None:
    """Those that reload do: the process that does the work is the second."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    program = f"""
import os, subprocess, sys
if os.environ.get("AGAIN"):
    print({CALL!r})
else:
    subprocess.run([sys.executable, *sys.orig_argv[1:]], env={{**os.environ, "AGAIN": "1"}})
"""
    run(instrumented("reloader", [sys.executable, "-c", program]), environment)

    eventually(lambda: [name for name, _ in otlp_sink.records] == ["reloader"])


def test_a_program_finds_the_modules_that_it_finds_untraced(tmp_path: Path) -> None:
    """A file beside it that is called as a module of the standard library is none."""
    (tmp_path / "secrets.py").write_text("raise SystemExit('the wrong one')")
    script = Path(sys.executable).parent / "pip"

    finished = run(
        instrumented("script", [str(script), "--version"]), host_environment(), cwd=tmp_path
    )

    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize(
    ("given", "name"),
    [("{**os.environ}", "named.py"), ("{}", "named.py"), ("{'OTEL_SERVICE_NAME': 'own'}", "own")],
)
def test_a_child_has_a_name_of_its_own_whatever_it_is_given(
    otlp_sink: OtlpSink, tmp_path: Path, given: str, name: str
) -> None:
    """A caller that passes all of its variables on does not mean its own name by that."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    environment[RELAYSCOPE_INSTRUMENT_CHILDREN] = "true"
    child = tmp_path / "named.py"
    child.write_text("import os; print(os.environ['OTEL_SERVICE_NAME'])")
    program = f"import os, subprocess, sys; subprocess.run(sys.argv[1:], env={given})"

    finished = run(
        instrumented("parent", [sys.executable, "-c", program, sys.executable, str(child)]),
        environment,
    )

    assert finished.stdout == f"{name.removesuffix('.py')}\n", finished.stderr


DYING = f"import os, signal, sys\nsys.stdin.readline()\nprint({CALL!r}, flush=True)\n"
READS = {
    "Popen": """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(%r, file=child.stdin, flush=True)
child.stdout.readline(); assert child.stdout.readline() == ""
print(child.wait(), flush=True)
""",
    "Popen, left": """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(%r, file=child.stdin, flush=True)
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
child.stdout.read()
print(os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1]), flush=True)
""",
    "run": """
import subprocess, sys
print(subprocess.run(sys.argv[1:], input=%r, capture_output=True, text=True).returncode)
""",
    "asyncio": """
import asyncio, sys
async def main():
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*sys.argv[1:], stdin=pipe, stdout=pipe)
    child.stdin.write((%r + "\\n").encode())
    await child.stdout.readline(); assert not await child.stdout.readline()
    print(await child.wait(), flush=True)
asyncio.run(main())
""",
    "mcp": """
import anyio, sys
from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage
async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(server) as (read, write):
        await write.send(SessionMessage(JSONRPCMessage.model_validate_json(%r)))
        async for _ in read:
            pass
        await anyio.sleep(1)
    print(sys.argv[-1])
anyio.run(main)
""",
}
READS |= {f"uvloop, {name}": on_uvloop(READS[name]) for name in ("asyncio", "mcp")}


@pytest.mark.parametrize(
    ("death", "status", "told"),
    [
        ("sys.exit(3)", "3", (PROCESS_EXIT_CODE, "3")),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "-9",
            (CHANNEL_EXIT_SIGNAL, "SIGKILL"),
        ),
        ("sys.exit(0)", "0", (PROCESS_EXIT_CODE, "0")),
    ],
)
@pytest.mark.parametrize("reads", READS)
def test_how_a_child_died_is_told_when_its_channel_closes(
    otlp_sink: OtlpSink, reads: str, death: str, status: str, told: tuple[str, str]
) -> None:
    """Its exit code or its signal, and the host gets the same: nobody else has reaped it."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    child = [sys.executable, "-I", "-c", DYING + death, status]

    finished = run(
        instrumented("parent", [sys.executable, "-c", READS[reads] % CALL, *child]), environment
    )

    assert (finished.stdout, finished.stderr) == (f"{status}\n", "")

    def closings() -> list[LogRecord]:
        return [
            event
            for _, event in otlp_sink.events
            if event.event_name == EVENT_CHANNEL_CLOSED and "python -I" in str(event.attributes)
        ]

    eventually(closings)
    (closed,) = closings()
    assert told in {
        (item.key, item.value.string_value or str(item.value.int_value))
        for item in closed.attributes
    }
    assert closed.severity_text == ("INFO" if status == "0" else "WARN")
