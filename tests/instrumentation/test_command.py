"""Promises about `relayscope-instrument` and about OpenTelemetry's own command."""

import json
import sys
from pathlib import Path

import pytest

from relayscope.conventions.events import EVENT_MESSAGE
from tests.fix_programs import (
    SCRIPTS,
    eventually,
    host_environment,
    instrumented,
    line,
    python,
    run,
)
from tests.fix_telemetry import OtlpSink

PING = line(id=1, method="ping")
LIST = line(id=2, method="tools/list")
RELAY = python("websocket_relay.py")

TELLS_VARIABLES = """
import json, os
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
names = [name for name in os.environ if name.startswith("OTEL_")]
print(json.dumps([sorted(names), OTLPSpanExporter()._endpoint]))
"""
"""A host with an exporter of its own."""


def test_a_relay_without_any_change_is_traced(otlp_sink: OtlpSink) -> None:
    """Spans and messages of an unmodified relay arrive under the name it was given."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)

    finished = run(instrumented("my-relay", RELAY), environment, LIST)

    assert json.loads(finished.stdout)["result"] == {"tools": []}
    eventually(lambda: len(otlp_sink.records) == 2 and len(otlp_sink.spans) == 1)
    assert {component for component, _ in otlp_sink.records + otlp_sink.spans} == {"my-relay"}
    bodies = [record.body.string_value for _, record in otlp_sink.records]
    assert bodies == [LIST.rstrip("\n"), finished.stdout.rstrip("\n")]
    assert {record.event_name for _, record in otlp_sink.records} == {EVENT_MESSAGE}


def test_opentelemetrys_own_command_works_with_the_distro(otlp_sink: OtlpSink) -> None:
    """`opentelemetry-instrument` with OTEL_PYTHON_DISTRO=relayscope does the same."""
    environment = host_environment(
        OTEL_PYTHON_DISTRO="relayscope",
        OTEL_SERVICE_NAME="relay",
        OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint,
    )

    run([str(SCRIPTS / "opentelemetry-instrument"), *RELAY], environment, LIST)

    eventually(lambda: len(otlp_sink.records) == 2 and len(otlp_sink.spans) == 1)


def test_standard_variables_keep_their_meaning(otlp_sink: OtlpSink) -> None:
    """A user's OTEL_* variable wins over a default of ours."""
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint, OTEL_TRACES_EXPORTER="none"
    )

    run(instrumented("relay", RELAY), environment, LIST)

    eventually(lambda: len(otlp_sink.records) == 2)
    assert otlp_sink.spans == []


@pytest.mark.parametrize("command", ["relayscope-instrument", "opentelemetry-instrument"])
def test_an_opentelemetry_of_the_hosts_finds_its_users_variables_alone(
    command: str, otlp_sink: OtlpSink
) -> None:
    """Its own exporter over HTTP goes to its own default, and not to the port of our gRPC."""
    environment = host_environment(
        OTEL_PYTHON_DISTRO="relayscope",
        OTEL_PYTHON_CONFIGURATOR="relayscope",
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=otlp_sink.endpoint,
    )
    host = [sys.executable, "-c", TELLS_VARIABLES]

    bare, traced = (run(whole, environment) for whole in (host, [str(SCRIPTS / command), *host]))

    assert json.loads(traced.stdout) == json.loads(bare.stdout)


def test_the_level_is_what_the_option_says(otlp_sink: OtlpSink) -> None:
    """At level INFO there are spans and no message records."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    command = [str(SCRIPTS / "relayscope-instrument"), "--level", "info", "--", *RELAY]

    run(command, environment, LIST)

    eventually(lambda: len(otlp_sink.spans) == 1)
    assert otlp_sink.records == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--level", "LOUD", "--", "python"], "LOUD"),
        (["--", "no-such-program"], "no-such-program"),
        (["--unknown", "python"], "--unknown"),
        ([], "command"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], named: str) -> None:
    """A mistake on the command line ends with a message that names it, and runs nothing."""
    finished = run([str(SCRIPTS / "relayscope-instrument"), *arguments], host_environment())

    assert finished.returncode != 0
    assert finished.stdout == ""
    assert named in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_command_that_cannot_be_run_has_the_status_that_a_shell_gives(tmp_path: Path) -> None:
    """Whoever starts it tells one from a program that fails."""
    no_program = tmp_path / "no_program"
    no_program.write_text("echo a script that does not say what runs it")
    no_program.chmod(0o755)
    for command, status in (("no-such-program", 127), (str(no_program), 126)):
        launcher = [str(SCRIPTS / "relayscope-instrument"), "--", command]
        finished = run(launcher, host_environment())
        assert finished.returncode == status
        assert command in finished.stderr
        assert "Traceback" not in finished.stderr


def test_a_wrong_level_in_the_environment_does_not_take_the_host_down() -> None:
    """The host runs, and the log names the level that does not exist."""
    environment = host_environment(RELAYSCOPE_LEVEL="LOUD", OTEL_LOGS_EXPORTER="none")
    environment["OTEL_TRACES_EXPORTER"] = "none"

    finished = run(instrumented("relay", RELAY), environment, LIST)

    assert json.loads(finished.stdout)["result"] == {"tools": []}
    assert "LOUD" in finished.stderr


@pytest.mark.parametrize(
    ("options", "profiles", "named"),
    [
        (["--profile", "nosuch"], None, "nosuch"),
        (["--profiles", "/no/such/file"], None, "/no/such/file"),
        (["--profile", "mine"], "profiles: {mine: {rules: [{tool: x, level: INFO}]}}", "tool"),
        (["--profile", "mine"], "profiles:\n  mine: [\n", "line 3"),
    ],
)
def test_a_wrong_profile_is_named_before_the_host_starts(
    options: list[str], profiles: str | None, named: str, tmp_path: Path
) -> None:
    """One line, exit 2, and the host has not run."""
    if profiles is not None:
        (tmp_path / "profiles.yaml").write_text(profiles)
        options = [*options, "--profiles", str(tmp_path / "profiles.yaml")]
    command = [str(SCRIPTS / "relayscope-instrument"), *options, "--", *RELAY]

    finished = run(command, host_environment(), LIST)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert named in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_wrong_profile_in_the_environment_is_told_in_one_line() -> None:
    """The host runs, and does not hear of it from each of the hooks."""
    environment = host_environment(
        RELAYSCOPE_PROFILE="nosuch", OTEL_LOGS_EXPORTER="none", OTEL_TRACES_EXPORTER="none"
    )

    finished = run(instrumented("relay", RELAY), environment, LIST)

    assert json.loads(finished.stdout)["result"] == {"tools": []}
    (said,) = finished.stderr.splitlines()
    assert "nosuch" in said


def test_another_vendors_failing_instrumentor_takes_nobody_down(
    otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """An instrumentor that raises is left out with a warning; the host runs and is traced."""
    (tmp_path / "rival.py").write_text(
        "from opentelemetry.instrumentation.instrumentor import BaseInstrumentor\n"
        "class Rival(BaseInstrumentor):\n"
        "    def instrumentation_dependencies(self): return ()\n"
        "    def _instrument(self, **kwargs): raise AttributeError('mcp.shared.session is gone')\n"
        "    def _uninstrument(self, **kwargs): pass\n"
    )
    info = tmp_path / "a_rival-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a-rival\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opentelemetry_instrumentor]\nmcp = rival:Rival\n")
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint, PYTHONPATH=str(tmp_path)
    )

    finished = run(instrumented("relay", RELAY), environment, LIST)

    assert finished.returncode == 0
    assert json.loads(finished.stdout)["result"] == {"tools": []}
    assert "'mcp' failed and is left out" in finished.stderr
    eventually(lambda: len(otlp_sink.records) == 2 and len(otlp_sink.spans) == 1)


def test_a_program_that_uses_no_mcp_library_imports_none() -> None:
    """Hooks wait for the host's own imports, so that a host pays only for what it uses."""
    environment = host_environment(OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    program = "import sys; print(sorted({'mcp', 'websockets'} & set(sys.modules)))"

    finished = run(instrumented("host", [sys.executable, "-c", program]), environment)

    assert finished.stdout == "[]\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize("command", [[sys.executable, "-c", "exit(5)"], ["ls", "-d", "/"]])
def test_a_program_runs_with_its_files_closed_as_it_does_untraced(
    closed: str, command: list[str]
) -> None:
    """A file that its starter has closed is no fault, and nothing is said in its place."""
    plain, traced = (
        run(["sh", "-c", f'"$@" {closed}', "sh", *whole], host_environment())
        for whole in (command, instrumented("host", command))
    )

    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)


def test_the_status_is_told_to_nobody_where_stdout_is_closed() -> None:
    """The exit code still says whether all is well."""
    command = [str(SCRIPTS / "relayscope-instrument"), "--status"]

    open_, closed = (
        run(["sh", "-c", f'"$@" {close}', "sh", *command], host_environment())
        for close in ("", ">&-")
    )

    assert (closed.returncode, closed.stderr) == (open_.returncode, open_.stderr)
