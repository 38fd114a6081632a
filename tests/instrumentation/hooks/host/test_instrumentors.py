"""Promises about OpenTelemetry packages of others that are installed beside relayscope."""

import sys
from pathlib import Path

import pytest

from tests.fix_programs import Run, eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

RIVAL = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.sdk._configuration import _OTelSDKConfigurator as Configurator

DONE = []

class Rival(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, tracer_provider="the global one", **_):
        DONE.append(tracer_provider)

    def _uninstrument(self, **_):
        DONE.pop()
"""

NAMES = """
[opentelemetry_instrumentor]
rival = rival:Rival
[opentelemetry_configurator]
configurator = rival:Configurator
"""

PROGRAM = """
import rival
print(rival.DONE)
rival.Rival().uninstrument() if {undoes} else None
if not rival.Rival().is_instrumented_by_opentelemetry:
    rival.Rival().instrument(tracer_provider="the host's")
print(rival.DONE)
rival.Rival().uninstrument()
print(rival.DONE)
"""

LOGS = """
import logging
from opentelemetry.instrumentation.logging import LoggingInstrumentor
LoggingInstrumentor().instrument(set_logging_format=True, logging_format="host: %(message)s")
logging.getLogger("host").warning("hello")
"""


@pytest.fixture
def rivals(tmp_path: Path) -> Path:
    """A folder with a package that brings an instrumentor and a configurator."""
    (tmp_path / "rival.py").write_text(RIVAL)
    info = tmp_path / "a_rival-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a-rival\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(NAMES)
    return tmp_path


def traced(program: str, sink: OtlpSink, **variables: str) -> Run:
    """Run a program to its end."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint, **variables)
    return run(instrumented("host", [sys.executable, "-c", program]), environment)


@pytest.mark.parametrize("undoes", [False, True])
def test_what_the_host_chooses_for_an_instrumentor_counts(
    rivals: Path, otlp_sink: OtlpSink, *, undoes: bool
) -> None:
    """It was loaded at the start; the host's provider takes the place of the one it had then."""
    finished = traced(PROGRAM.format(undoes=undoes), otlp_sink, PYTHONPATH=str(rivals))

    assert finished.stdout.splitlines() == ["['the global one']", '["the host\'s"]', "[]"]


def test_what_other_packages_bring_is_left_out_without_a_word(
    rivals: Path, otlp_sink: OtlpSink
) -> None:
    """A configurator, as in `opentelemetry-distro`, and an instrumentor that the host uses."""
    finished = traced(PROGRAM.format(undoes=False), otlp_sink, PYTHONPATH=str(rivals))

    assert finished.stderr == ""


def test_the_hosts_format_of_logs_is_as_it_is_untraced(otlp_sink: OtlpSink) -> None:
    """Its handler has our provider, for want of its own; a record is exported once all the same."""
    finished = traced(LOGS, otlp_sink)

    assert finished.stderr == "host: hello\n"
    eventually(lambda: otlp_sink.logs)
    assert [record.body.string_value for _, record in otlp_sink.logs] == ["hello"]
