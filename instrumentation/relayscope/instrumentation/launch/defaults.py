"""Defaults for OpenTelemetry's variables that the user has not set."""

import os
from collections.abc import Mapping
from typing import Final

from .python_path import TRACED

_DEFAULTS: Final = {
    "OTEL_PYTHON_CONFIGURATOR": "relayscope",
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

_set: Final[dict[str, str]] = {}
"""What is set here, and not by the user."""

# Spelled in `loader/sitecustomize.py`, too, which must import nothing.
_OURS: Final = {
    *("OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR"),
    *("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"),
}
"""Variables that name relayscope, whoever has set them: the command did before this process began,
or the process that has started this one."""


def set_defaults() -> None:
    """Put our defaults into the environment, where the user has not said otherwise."""
    for name, value in _DEFAULTS.items():
        _set_default(name, value)
    endpoint = _ENDPOINTS.get(os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"])
    if endpoint is not None:
        _set_default("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)


def without_defaults(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables without those that are there because this process is traced.

    A child with an OpenTelemetry of its own has no exporter that is called `relayscope`.
    """
    return {
        name: value
        for name, value in variables.items()
        if name != TRACED
        and _set.get(name) != value
        and not (name in _OURS and value == "relayscope")
    }


def _set_default(name: str, value: str) -> None:
    if name not in os.environ:
        os.environ[name] = _set[name] = value
