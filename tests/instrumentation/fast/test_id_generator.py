"""Promises about the ids of traces and spans: no two are the same, whatever the host does."""

import random
import re
import sysconfig
from pathlib import Path
from typing import Final

import pytest

from tests.fix_programs import eventually, host_environment, instrumented, line, python, run
from tests.fix_telemetry import OtlpSink

_INSTRUMENT: Final = str(Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument")

_OTHER_DISTRO: Final = """
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

class Distro(BaseDistro):
    def _configure(self, **kwargs):
        pass

class Configurator(_OTelSDKConfigurator):
    pass
"""

_OTHER_ENTRY_POINTS: Final = """
[opentelemetry_distro]
other = other_distro:Distro
[opentelemetry_configurator]
other = other_distro:Configurator
"""

_ASKED: Final = line(id=1, method="tools/list")


@pytest.fixture
def other_distro(tmp_path: Path) -> Path:
    """A folder with a distribution that sets the SDK up as OpenTelemetry's own does."""
    (tmp_path / "other_distro.py").write_text(_OTHER_DISTRO)
    metadata = tmp_path / "other_distro-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other-distro\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(_OTHER_ENTRY_POINTS)
    return tmp_path


@pytest.mark.parametrize(
    "start", ["relayscope-instrument", "opentelemetry-instrument", "another distro", "own SDK"]
)
def test_a_program_that_seeds_its_random_numbers_has_new_ids_in_each_run(
    otlp_sink: OtlpSink, other_distro: Path, start: str
) -> None:
    """Two runs share no trace and no span, nor do parent and forked child; and both draw the same.

    It is so whoever has set the SDK up, and for the spans of an SDK of the host's own. What the
    program draws is what it draws without any tracing.
    """
    server = python("seeded_server.py", *(["--own-sdk"] if start == "own SDK" else []))
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    if start == "opentelemetry-instrument":
        command = [_INSTRUMENT, *server]
        environment |= {"OTEL_PYTHON_DISTRO": "relayscope", "OTEL_SERVICE_NAME": "seeded"}
    elif start == "another distro":
        command = [_INSTRUMENT, *server]
        environment |= {
            "OTEL_PYTHON_DISTRO": "other",
            "OTEL_PYTHON_CONFIGURATOR": "other",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_SERVICE_NAME": "seeded",
            "PYTHONPATH": str(other_distro),
        }
    else:
        command = instrumented("seeded", server)

    traced = [run(command, environment, _ASKED) for _ in range(2)]

    assert [each.returncode for each in traced] == [0, 0]
    drawn = str(random.Random(1).random())  # as the program draws it
    assert [re.findall(r"0\.\d+", each.stdout) for each in traced] == [[drawn] * 3] * 2
    spans_of_a_run = 4 if start == "own SDK" else 3
    eventually(lambda: len(otlp_sink.spans) >= 2 * spans_of_a_run)
    spans = [span for _, span in otlp_sink.spans]
    assert len({span.trace_id for span in spans}) == len(spans)
    assert len({span.span_id for span in spans}) == len(spans)
    assert not any(span.parent_span_id for span in spans)


def test_a_chosen_id_generator_stays(otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """A user who needs ids of another form, as AWS X-Ray does, has them in our spans too."""
    (tmp_path / "counting.py").write_text(
        "from opentelemetry.sdk.trace.id_generator import IdGenerator\n"
        "class Counting(IdGenerator):\n"
        "    def generate_span_id(self): return 7\n"
        "    def generate_trace_id(self): return 8\n"
    )
    metadata = tmp_path / "counting-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1.0\n")
    entry = "[opentelemetry_id_generator]\ncounting = counting:Counting\n"
    (metadata / "entry_points.txt").write_text(entry)
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint,
        OTEL_PYTHON_ID_GENERATOR="counting",
        PYTHONPATH=str(tmp_path),
    )

    run(instrumented("server", python("seeded_server.py")), environment, _ASKED)

    eventually(lambda: otlp_sink.spans)
    (_, span), *_ = otlp_sink.spans
    assert (int.from_bytes(span.trace_id), int.from_bytes(span.span_id)) == (8, 7)
