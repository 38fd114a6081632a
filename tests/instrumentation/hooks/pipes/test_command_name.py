"""Promises about what child processes are called."""

import shlex
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.conventions.attributes import PEER, PROCESS_COMMAND_LINE
from relayscope.instrumentation.hooks.pipes.command_name import name_of, program_of, words_of
from tests.fix_programs import PROGRAMS, eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

NAMES = {
    "npx -y @acme/files /srv": "npx @acme/files",
    "npx --yes --registry https://r.example @acme/files@latest": "npx @acme/files@latest",
    "npx -p @acme/files acme-files": "npx acme-files",
    "npx.cmd -y @acme/files": "npx @acme/files",
    "bunx @acme/files": "bunx @acme/files",
    "bun x @acme/files": "bun x @acme/files",
    "npm exec -y -- @acme/files": "npm exec @acme/files",
    "pnpm dlx @acme/files": "pnpm dlx @acme/files",
    "python server.py --port 1": "python server.py",
    "/usr/bin/python3.12 -u -X dev /srv/weather.py": "python3.12 weather.py",
    "python /srv/weather/src/server.py": "python weather/server.py",
    "python -m acme_time --zone UTC": "python -m acme_time",
    "python -Ium acme_time": "python -m acme_time",
    "python -c 'print(1)' secret": "python -c",
    "python backend.py mars --port 1": "python backend.py mars",
    "python -m acme_time stdio": "python -m acme_time",
    "python backend.py k3yk3y": "python backend.py",
    "uv run backend.py venus": "uv run backend.py venus",
    "uv run server.py": "uv run server.py",
    "uv run --with mcp[cli] --directory /srv mcp run server.py": "uv run mcp run",
    "uv --directory /srv run python -m acme_time": "uv run python -m acme_time",
    "uv tool run --from acme acme-time": "uv tool run acme-time",
    "uvx --from git+https://g.example/acme.git acme-time --zone UTC": "uvx acme-time",
    "pipx run acme-time": "pipx run acme-time",
    "poetry run python server.py": "poetry run python server.py",
    "fastmcp run /srv/weather.py:mcp": "fastmcp run weather.py:mcp",
    "docker run -i --rm -e TOKEN=x -e OTHER --mount type=bind,src=/a,dst=/b mcp/time --zone UTC": (
        "docker run mcp/time"
    ),
    "docker run -it ghcr.io/acme/time:1.2": "docker run ghcr.io/acme/time:1.2",
    "docker exec -i timekeeper acme-time": "docker exec timekeeper acme-time",
    "node --import tsx /srv/weather/dist/index.js": "node weather/index.js",
    "node -e 'serve()'": "node -e",
    "deno run -A /srv/weather.ts": "deno run weather.ts",
    "java -Xmx1g -jar /srv/weather.jar": "java -jar weather.jar",
    "sh -c 'exec npx -y @acme/files 2>/dev/null'": "npx @acme/files",
    "bash -lc 'python server.py'": "python server.py",
    "cmd /c npx -y @acme/files": "npx @acme/files",
    "env -u HOME TOKEN=x python server.py": "python server.py",
    "TOKEN=x acme-time": "acme-time",
    "relayscope-instrument --service-name time -- python -m acme_time": "python -m acme_time",
    "/opt/acme/bin/acme-time --token x": "acme-time",
    "acme serve --token x": "acme serve",
    "./weather.py": "weather.py",
    "sh": "sh",
    "npx": "npx",
    "": "",
}


@pytest.mark.parametrize("command", NAMES)
def test_a_child_is_called_as_what_it_runs(command: str) -> None:
    """Launchers' options, and what is given to the program, are no part of it."""
    assert name_of(shlex.split(command)) == NAMES[command]
    assert name_of(words_of(command)) == NAMES[command]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python -m acme_time", "acme_time"),
        ("npx -y @acme/files", "files"),
        ("python /srv/busy.py stdio", "busy"),
        ("uv run server.py", "server"),
        ("acme-time", "acme-time"),
        ("acme-time serve", "acme-time"),
        ("python /srv/backend.py mars", "backend-mars"),
        ("uv run backend.py venus", "backend-venus"),
        ("acme beta", "acme-beta"),
    ],
)
def test_an_instrumented_child_is_a_component_of_that_name(command: str, name: str) -> None:
    """Two modules run by the same Python are two components, and so are two planets of one."""
    assert program_of(shlex.split(command)) == name


@given(st.lists(st.text() | st.sampled_from(" ".join(NAMES).split())))
def test_any_command_has_a_short_name(words: list[str]) -> None:
    """However it is put together."""
    assert len(name_of(words)) <= 200
    assert len(name_of([*["env"] * 5000, *words])) <= 200


def test_all_of_a_childs_command_is_known_but_its_secrets(otlp_sink: OtlpSink) -> None:
    """It stands in the records of the channel's opening and closing."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    child = [sys.executable, str(PROGRAMS / "busy_backend.py"), "stdio"]
    child += ["bob:hunter2@localhost", "--api-key", "k3yk3yk3y"]
    call = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    program = f"import subprocess; subprocess.run({child!r}, input={call!r}, text=True, stdout=-1)"

    finished = run(instrumented("parent", [sys.executable, "-c", program]), environment)

    assert finished.returncode == 0, finished.stderr
    eventually(lambda: len(told(otlp_sink)) == 2)
    (said,) = set(told(otlp_sink))
    shown = " ".join([*child[:-1], "[REDACTED:api-key]"])
    assert said == shown.replace("hunter2", "[REDACTED:url-password]")


def told(sink: OtlpSink) -> list[str]:
    """Return what is told of the child's command."""
    events = [
        {item.key: item.value.string_value for item in event.attributes} for _, event in sink.events
    ]
    peer = "python busy_backend.py"
    return [each[PROCESS_COMMAND_LINE] for each in events if each[PEER] == peer]
