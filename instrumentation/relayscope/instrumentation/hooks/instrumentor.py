"""The instrumentor of this distribution: it loads each hook before the host imports its library.

A hook and what it needs take tens of milliseconds to import, which a host that does not use the
library does not pay.
"""

import logging
import os
import sys
from collections.abc import Collection
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from opentelemetry.instrumentation.environment_variables import (
    OTEL_PYTHON_DISABLED_INSTRUMENTATIONS,
)
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation import process

_log = logging.getLogger("relayscope.instrumentation")


class Hook(NamedTuple):
    """An instrumentor of a library.

    Attributes:
        place: Its module in this package, and its name.
        libraries: Packages, or modules of the standard library, whose import it comes before; none
            if it is for what every host has.
    """

    place: str
    libraries: tuple[str, ...] = ()


HOOKS: Final = {
    "relayscope_aiohttp": Hook("websockets.aiohttp:AiohttpInstrumentor", ("aiohttp",)),
    "relayscope_aiohttp_client": Hook(
        "http.aiohttp_client:AiohttpClientInstrumentor", ("aiohttp",)
    ),
    "relayscope_aiohttp_server": Hook(
        "http.aiohttp_server:AiohttpServerInstrumentor", ("aiohttp",)
    ),
    "relayscope_asgi": Hook(
        "http.asgi:AsgiInstrumentor", ("starlette", "fastapi", "uvicorn", "hypercorn", "daphne")
    ),
    "relayscope_host_sdk": Hook("host.sdk:HostSdkInstrumentor"),
    "relayscope_http_client": Hook(
        "http.http_client:HttpClientInstrumentor", ("http.client", "urllib3")
    ),
    "relayscope_httpx": Hook("http.httpx:HttpxInstrumentor", ("httpx", "httpx2")),
    "relayscope_logging": Hook("host.logs:HostLogsInstrumentor"),
    "relayscope_mcp": Hook("mcp.sdk:McpInstrumentor", ("mcp", "mcp_types", "fastmcp")),
    "relayscope_signals": Hook("host.signals:HostSignalsInstrumentor"),
    "relayscope_stdio": Hook("pipes.stdio:StdioInstrumentor"),
    "relayscope_subprocess": Hook("pipes.subprocesses:SubprocessInstrumentor"),
    "relayscope_websockets": Hook("websockets.websockets:WebsocketsInstrumentor", ("websockets",)),
}
"""The hooks by their names in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`, in their order."""


class RelayscopeInstrumentor(BaseInstrumentor):
    """Watches what this process says to its peers, with whichever library."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: each hook waits for its library."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:
        chosen = os.environ.get(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, "")
        disabled = {name.strip() for name in chosen.split(",")}
        process.begin()
        self._finder = _Finder(kwargs)
        for name, hook in HOOKS.items():
            if name in disabled:
                continue
            if not hook.libraries or not sys.modules.keys().isdisjoint(hook.libraries):
                self._finder.load(name)
            else:
                self._finder.wait(name)
        sys.meta_path.insert(0, self._finder)

    def _uninstrument(self, **_: Any) -> None:
        sys.meta_path.remove(self._finder)
        for instrumentor in self._finder.loaded:
            instrumentor.uninstrument()


class _Finder:
    """Notices that a module is about to be imported, and leaves it to others to find it."""

    def __init__(self, kwargs: dict[str, Any]) -> None:
        self.loaded: list[BaseInstrumentor] = []
        self._kwargs = kwargs
        self._waiting: dict[str, str | None] = {}
        """The hooks that wait for an import, by name; a hook is taken out by whoever loads it."""
        self._names: dict[str, list[str]] = {}
        """The hooks that wait for each library."""

    def wait(self, name: str) -> None:
        """Let a hook be loaded before its library."""
        self._waiting[name] = name
        for library in HOOKS[name].libraries:
            self._names.setdefault(library, []).append(name)

    def find_spec(self, library: str, *_: object) -> ModuleSpec | None:
        """Load what waits for a library."""
        waiting = self._names.pop(library, ())
        for name in waiting:
            if self._waiting.pop(name, None) is not None:
                self.load(name)
        # The first patch that waits for a module adds wrapt's finder at the front, where the import
        # that is under way has been already: it would pass it over.
        return find_spec(library) if waiting else None

    def load(self, name: str) -> None:
        """Load a hook; one that fails is left out."""
        module, kind = HOOKS[name].place.split(":")
        try:
            instrumentor = getattr(import_module(f".{module}", __package__), kind)()
            instrumentor.instrument(skip_dep_check=True, **self._kwargs)
        except ModuleNotFoundError as error:  # The library is not there after all.
            _log.debug("hook %s is left out: %s", name, error)
        except Exception:  # noqa: BLE001  # the host's own import must not fail
            tell_failure(name)
        else:
            self.loaded.append(instrumentor)


def tell_failure(name: str) -> None:
    """Say which instrumentor has failed and is left out."""
    _log.warning(
        "instrumentor %r failed and is left out; to silence this, add it to "
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        name,
        exc_info=True,
    )
