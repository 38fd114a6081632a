"""Defaults for OpenTelemetry's variables that the user has not set.

They are there only while OpenTelemetry is loaded. The host may have an OpenTelemetry of its own, or
something else that reads these variables: to that, an exporter is not called `relayscope`, and OTLP
over HTTP does not go to the port of gRPC.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from .python_path import TRACED

_DEFAULTS: Final = {
    # OTLP through the spool; `otlp` is OpenTelemetry's own exporter, which forgets.
    "OTEL_TRACES_EXPORTER": "relayscope",
    "OTEL_LOGS_EXPORTER": "relayscope",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    # The host's own log records are exported by `hooks/host/logs.py`, which adds no handler.
    "OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION": "false",
    # For the SDK's own exporters: a developer who has just made the call wants to see its spans as
    # soon as its records; the SDK's default is 5 s.
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
}

# Not "localhost", which may mean ::1, where the collector does not listen by default.
_ENDPOINTS: Final = {"grpc": "http://127.0.0.1:4317", "http/protobuf": "http://127.0.0.1:4318"}

# Spelled in `loader/sitecustomize.py`, too, which must import nothing.
_OURS: Final = {
    *("OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR"),
    *("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"),
}
"""Variables that name relayscope, whoever has set them: the command did before this process began,
or the process that has started this one."""


def with_defaults(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables, and our defaults where the user has not said otherwise."""
    chosen = _DEFAULTS | dict(variables)
    endpoint = _ENDPOINTS.get(chosen["OTEL_EXPORTER_OTLP_PROTOCOL"])
    if endpoint is not None:
        chosen.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    return chosen


def set_defaults() -> None:
    """Put our defaults into the environment of a process of our own."""
    os.environ.update(with_defaults(os.environ))


@contextmanager
def defaults_set() -> Iterator[None]:
    """Have our defaults in the environment of the host while something reads them."""
    own = with_defaults(os.environ).keys() - os.environ.keys()
    set_defaults()
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)


def without_ours(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables without those that are there because this process is traced.

    A child with an OpenTelemetry of its own has no exporter that is called `relayscope`.
    """
    return {
        name: value
        for name, value in variables.items()
        if name != TRACED and not (name in _OURS and value == "relayscope")
    }
