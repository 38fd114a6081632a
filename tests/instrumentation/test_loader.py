"""Promises about who is traced: the program that is meant, and no other that gets its variables."""

import re
import sys
from pathlib import Path

import pytest

from relayscope.conventions.environment import RELAYSCOPE_INSTRUMENT_CHILDREN
from tests.fix_programs import SCRIPTS, host_environment, instrumented, run

BARE_PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")
"""A Python without any package."""

SHOW = """
import os, sys
is_traced = "relayscope.instrumentation.distro" in sys.modules
name = os.environ.get("OTEL_SERVICE_NAME")
print(is_traced, name, os.environ.get("PYTHONPATH"), sys.path[1:], flush=True)
"""
STARTS = {
    "os.system": "os.system(' '.join(child))",
    "os.posix_spawn": "os.waitpid(os.posix_spawn(child[0], child, os.environ), 0)",
    "os.exec after a fork": "os.fork() or os.execv(child[0], child); os.wait()",
    "a terminal": "pty.spawn(child)",
}


def untraced() -> dict[str, str]:
    """The variables of a host that sends nothing."""
    variables = host_environment(OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    variables.pop("PYTHONPATH", None)
    return variables


def parent(start: str, *child: str) -> list[str]:
    """Return a program that starts a child."""
    return [sys.executable, "-c", f"import os, pty; child = {list(child)}; {start}"]


@pytest.fixture
def show(tmp_path: Path) -> str:
    """A program that says whether it is traced, and where it finds its modules."""
    script = tmp_path / "show.py"
    script.write_text(SHOW)
    return str(script)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("python", [sys.executable, BARE_PYTHON])
def test_a_child_is_left_alone_however_it_is_started(start: str, python: str, show: str) -> None:
    """It is not traced, and not a word is said, also in a Python that has no OpenTelemetry."""
    command = parent(STARTS[start], python, show)

    bare, traced = (
        run(whole, untraced() | {"OTEL_SERVICE_NAME": "parent"})
        for whole in (command, instrumented("parent", command))
    )

    assert bare.stdout.startswith("False parent None")
    assert (traced.stdout, traced.stderr) == (bare.stdout, "")


@pytest.mark.parametrize("start", STARTS)
def test_a_child_that_is_asked_for_is_traced_under_its_own_name(start: str, show: str) -> None:
    """However it is started; one that its parent has named is called so."""
    environment = untraced() | {RELAYSCOPE_INSTRUMENT_CHILDREN: "true"}
    for naming, name in (("", "show"), ("os.environ['OTEL_SERVICE_NAME'] = 'given'; ", "given")):
        command = parent(f"{naming}{STARTS[start]}", sys.executable, show)
        finished = run(instrumented("parent", command), environment)
        assert finished.stdout.startswith(f"True {name} "), finished.stderr


def test_a_child_finds_the_sitecustomize_that_it_finds_untraced(show: str, tmp_path: Path) -> None:
    """It runs as if ours were not before it, and an error in it is told as ever."""
    own = tmp_path / "sitecustomize.py"
    environment = untraced() | {"PYTHONPATH": str(tmp_path), "OTEL_SERVICE_NAME": "parent"}
    command = parent(STARTS["os.system"], sys.executable, show)
    for code, told in (("print('found')", "found\nFalse"), ("raise OSError('mine')", "mine")):
        own.write_text(code)
        bare, traced = (
            run(whole, environment) for whole in (command, instrumented("parent", command))
        )
        assert told in bare.stdout + bare.stderr
        # Before it, the command's Python has found it too, and the host's has not.
        assert traced.stdout.splitlines()[-2:] == bare.stdout.splitlines()[-2:]
        assert told in traced.stdout + traced.stderr


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_workers_of_a_traced_program_are_traced(method: str, tmp_path: Path) -> None:
    """Servers that reload, or have several workers, do their work there."""
    program = tmp_path / "server.py"
    program.write_text(
        "import multiprocessing\n"
        f"def show():\n    exec({SHOW!r})\n"
        "if __name__ == '__main__':\n"
        f"    worker = multiprocessing.get_context({method!r}).Process(target=show)\n"
        "    worker.start(); worker.join()\n"
    )

    finished = run(instrumented("server", [sys.executable, str(program)]), untraced())

    assert finished.stdout.startswith("True server "), finished.stderr


@pytest.mark.parametrize("command", ["sys.orig_argv[1:]", "[os.environ['SHOW']]"])
def test_what_a_traced_program_becomes_is_traced(command: str, show: str) -> None:
    """A program that replaces itself is the same process, and its name is the same."""
    program = f"""
import os, sys
{SHOW}
if not os.environ.get("AGAIN"):
    os.environ["AGAIN"] = "1"
    os.execv(sys.executable, [sys.executable, *{command}])
"""
    environment = untraced() | {"SHOW": show}

    finished = run(instrumented("program", [sys.executable, "-c", program]), environment)

    assert finished.stdout.count("True program ") == 2, finished.stderr


def test_a_program_that_starts_itself_after_a_fork_stays_traced() -> None:
    """A server does so that is replaced by a new one while it works."""
    program = f"""
import os, sys
{SHOW}
if not os.environ.get("AGAIN"):
    if not os.fork():
        os.environ["AGAIN"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    os.wait()
"""
    finished = run(instrumented("server", [sys.executable, "-c", program]), untraced())

    assert finished.stdout.count("True server ") == 2, finished.stderr


def test_every_python_program_that_a_shell_starts_is_traced(show: str) -> None:
    """The shell is no Python; one of them may trace another under a name of its own."""
    inner = " ".join(instrumented("inner", [sys.executable, show]))
    script = f"{sys.executable} {show}; {sys.executable} {show}; {inner}"

    finished = run(instrumented("outer", ["sh", "-c", script]), untraced())

    assert re.findall(r"True \w+", finished.stdout) == ["True outer"] * 2 + ["True inner"]


def test_a_python_without_relayscope_that_is_meant_says_so_in_one_line(show: str) -> None:
    """A shell that starts another one than was thought would else be a riddle."""
    environment = untraced() | {"RELAYSCOPE_QUIET": ""}

    finished = run(instrumented("host", ["sh", "-c", f"{BARE_PYTHON} {show}"]), environment)

    assert finished.stdout.startswith("False host ")
    assert finished.stderr.count("has no relayscope") == 1
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("package", "module", "version"),
    [
        ("opentelemetry-sdk", "sdk/version/__init__.py", "1.34.0"),
        ("opentelemetry-api", "version/__init__.py", "1.44.1"),
        ("opentelemetry-instrumentation", "instrumentation/version.py", "0.48b0"),
    ],
)
def test_an_opentelemetry_that_is_too_old_is_named_in_one_line(
    package: str, module: str, version: str, show: str, tmp_path: Path
) -> None:
    """With what to install; the program runs untraced."""
    (requirement,) = re.findall(
        rf'"({package}>=.*)"', Path("pyproject.toml").read_text(encoding="utf-8")
    )
    file = tmp_path / "opentelemetry" / module
    file.parent.mkdir(parents=True)
    file.write_text(f"__version__ = {version!r}\n")

    finished = run(
        instrumented("host", [sys.executable, show]), untraced() | {"PYTHONPATH": str(tmp_path)}
    )

    assert finished.stdout.startswith("False host ")
    (said,) = finished.stderr.splitlines()
    assert f"{package} {version} is too old" in said
    assert f"'{requirement}'" in said


def test_the_command_itself_is_no_child_of_who_runs_it(show: str) -> None:
    """A traced program that starts another by the command has it traced, under its own name."""
    command = str(SCRIPTS / "relayscope-instrument")
    child = [command, "--service-name", "inner", "--", sys.executable, show]

    finished = run(instrumented("outer", parent(STARTS["os.system"], *child)), untraced())

    assert finished.stdout.startswith("True inner "), finished.stderr
