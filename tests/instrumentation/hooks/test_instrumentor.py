"""A hook is loaded before the first library that it watches, and not before that."""

import sys
from importlib import import_module

import pytest

from relayscope.instrumentation.hooks.instrumentor import HOOKS
from relayscope.instrumentation.hooks.patches import Patches, Replacement
from tests.fix_programs import host_environment, instrumented, run
from tests.fix_telemetry import Telemetry

LOADED = (
    "import sys; print(*sorted(name.removeprefix('relayscope.instrumentation.hooks.')"
    " for name in sys.modules if name.startswith('relayscope.instrumentation.hooks.')))"
)

IMPORTS_ALL = """
import pkgutil, wrapt
wrapt.ObjectProxy.__class_getitem__ = None
from relayscope.instrumentation import hooks
for module in pkgutil.walk_packages(hooks.__path__, f"{hooks.__name__}."):
    __import__(module.name)
"""
"""Imports every hook beside a wrapt before 2.2, whose proxy cannot be subscripted."""


def loaded(program: str, **variables: str) -> set[str]:
    """The modules of hooks that a traced program has loaded, by their names in the package."""
    environment = host_environment(
        OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none", **variables
    )
    finished = run(instrumented("host", [sys.executable, "-c", program]), environment)
    assert finished.stderr == ""
    return set(finished.stdout.split())


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The modules that hooks want to patch; nothing is patched."""
    modules: set[str] = set()

    def noting(_: Patches, module_name: str, _path: str, _replacement: Replacement) -> None:
        modules.add(module_name)

    monkeypatch.setattr(Patches, "replace", noting)
    return modules


@pytest.mark.parametrize("name", [name for name, hook in HOOKS.items() if hook.libraries])
def test_a_hook_waits_for_every_library_that_it_patches(
    name: str, patched: set[str], telemetry: Telemetry
) -> None:
    """One that it did not wait for could be imported, whole or half, before it is patched."""
    module, kind = HOOKS[name].place.split(":")
    instrumentor = getattr(import_module(f"relayscope.instrumentation.hooks.{module}"), kind)()
    instrumentor.instrument(exchange=telemetry.exchange)
    instrumentor.uninstrument()

    libraries = HOOKS[name].libraries
    assert patched
    assert not {
        module
        for module in patched
        if not f"{module}.".startswith(tuple(f"{x}." for x in libraries))
    }


@pytest.mark.processes
def test_a_hook_is_loaded_when_its_library_is_imported() -> None:
    """A program pays only for what it uses."""
    assert not {"mcp.sdk", "http.httpx", "websockets.websockets"} & loaded(LOADED)
    assert "websockets.websockets" in loaded(f"import websockets; {LOADED}")


@pytest.mark.processes
def test_the_first_library_that_a_program_imports_is_patched() -> None:
    """Also where nothing before has waited for a module."""
    is_patched = "hasattr(http.client.HTTPConnection.getresponse, '__wrapped__')"
    assert loaded(f"import http.client; print({is_patched})") == {"True"}


@pytest.mark.processes
def test_a_hook_that_is_switched_off_is_never_loaded() -> None:
    """Neither at the start nor when its library is imported."""
    off = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "relayscope_websockets, relayscope_logging"}

    assert not {"websockets.websockets", "host.logs"} & loaded(
        f"import websockets; {LOADED}", **off
    )


def test_hooks_can_be_imported_with_the_oldest_wrapt_that_is_allowed() -> None:
    """A host may need an older one than the newest, and would be recorded without pipes."""
    finished = run([sys.executable, "-c", IMPORTS_ALL], host_environment())

    assert (finished.returncode, finished.stderr) == (0, "")
