"""Promises to hosts with unusual ways: they do what they do untraced, and not a word is said."""

import sys
from pathlib import Path

import pytest

from tests.fix_delivery import SPOOL_DIR
from tests.fix_programs import host_environment, instrumented, line, run
from tests.fix_telemetry import OtlpSink

ANSWER = """
import json, os, sys
def answer():
    for text in sys.stdin:
        number = json.loads(text)["id"]
        print(json.dumps({"jsonrpc": "2.0", "id": number, "result": {}}), flush=True)
"""

SUBINTERPRETERS = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
answer()
code = '''
import os, subprocess, sys
with subprocess.Popen([sys.executable, "-c", "print(input())"], stdin=-1, stdout=-1) as child:
    print(child.communicate(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\\\\n'), flush=True)
print([path for path in sys.path if "relayscope" in path], flush=True)
'''
other = interpreters.create(isolated=False) if sys.version_info < (3, 13) else (
    interpreters.create("legacy"))
getattr(interpreters, "exec", interpreters.run_string)(other, code)
interpreters.destroy(other)
print("PYTHONPATH" in os.environ)
"""

FORKS = """
import threading
def fork():
    for _ in range(30):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
sys.stdin.readline()  # A call that stays open.
threads = [threading.Thread(target=fork) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

TEMPORARY = """
import tempfile
answer()
os.environ["TMPDIR"] = os.environ["CHOSEN"]
print(tempfile.gettempdir() == os.environ["CHOSEN"])
"""

REQUEST = line(id=1, method="tools/call", params={"name": "x", "arguments": {}})


def same(program: str, environment: dict[str, str], conversation: str = REQUEST) -> str:
    """Return what a program prints, which is the same whether it is traced or not."""
    command = [sys.executable, "-c", ANSWER + program]
    bare, traced = (
        run(whole, environment, conversation) for whole in (command, instrumented("host", command))
    )
    assert (traced.returncode, traced.stdout) == (bare.returncode, bare.stdout), traced.stderr
    assert traced.stderr == bare.stderr
    return traced.stdout


def test_a_subinterpreter_is_left_alone(otlp_sink: OtlpSink) -> None:
    """It has nothing of ours, ends as it would, and leaves its process the variables it has."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint, PYTHONPATH=".")

    assert same(SUBINTERPRETERS, environment).endswith("\n[]\nTrue\n")


def test_threads_that_fork_at_once_do_not_disturb_each_other(otlp_sink: OtlpSink) -> None:
    """Each of them ends the thread that looks for silent calls, or finds it ended."""
    same(FORKS, host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint))


@pytest.mark.parametrize("home", ["/proc", "."])
def test_a_host_that_chooses_its_temporary_folder_late_gets_it(
    otlp_sink: OtlpSink, home: str, tmp_path: Path
) -> None:
    """To have looked for a folder for the spools decides nothing for the host."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    environment |= {"HOME": str(tmp_path / home), "CHOSEN": str(tmp_path)}
    for name in (SPOOL_DIR, "XDG_STATE_HOME"):
        environment.pop(name, None)

    assert same(TEMPORARY, environment).endswith("True\n")


def test_what_a_peer_writes_into_its_context_is_not_in_the_hosts_log(otlp_sink: OtlpSink) -> None:
    """OpenTelemetry quotes entries that are wrong, however long they are and whatever they hold."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    hostile = "\x1b[2Jhostile;;,=;x," + "y" * 100_000
    entries = (
        {"traceparent": "0" * 1000},
        {"traceparent": trace, "baggage": hostile},
        {"traceparent": trace, "baggage": hostile[:30], "tracestate": "###,a=1,a=2"},
        {"traceparent": trace, "baggage": "k=" + "%2F" * 2000},
    )
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)

    same(
        "answer()",
        environment,
        "".join(
            line(id=number, method="tools/call", params={"name": "x", "_meta": meta})
            for number, meta in enumerate(entries)
        ),
    )


def test_a_host_in_which_every_warning_is_an_error_is_recorded(otlp_sink: OtlpSink) -> None:
    """Also the one that Python gives of files without an encoding, where it is asked to."""
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint,
        PYTHONWARNDEFAULTENCODING="1",
        PYTHONWARNINGS="error",
    )

    same("answer()", environment)
