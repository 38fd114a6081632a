"""relayscope as a distribution of OpenTelemetry Python, for `opentelemetry-instrument`.

The distro sets defaults and loads instrumentors; the configurator builds the SDK. Every standard
`OTEL_*` variable keeps its meaning and wins over a default of ours.
"""

import logging
import os
from importlib.metadata import version
from typing import Any, Final
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.util._importlib_metadata import EntryPoint

from .delivery import (
    SpoolLogRecordExporter,
    SpoolLogRecordProcessor,
    SpoolSpanExporter,
    SpoolSpanProcessor,
    begin,
)
from .fast.id_generator import SystemIds
from .hooks.host.instrumentors import leave_to_the_host
from .hooks.instrumentor import tell_failure
from .launch.defaults import defaults_set
from .recording.body_limit import body_limit
from .runtime.own_provider import beside_the_hosts
from .traffic.call_seconds import call_seconds
from .traffic.chosen_levels import chosen_levels

_log = logging.getLogger("relayscope.instrumentation")

_EXIT_MILLISECONDS: Final = 700
"""Longest delay of the process's exit by each signal. MCP clients give a server 2 s from closing
its stdin to SIGTERM (mcp 1.x and 2.x, client/stdio), and there are two signals; with the SDK's own
30 s, a relay without a collector took 7.6 s to exit."""


_LOADER: Final = "opentelemetry.instrumentation.auto_instrumentation._load"


class RelayscopeDistro(BaseDistro):
    """Defaults for a relay on a developer's machine, and a soft landing for other instrumentors."""

    _is_mistaken = False

    def _configure(self, **_: Any) -> None:
        os.environ.setdefault("OTEL_PYTHON_CONFIGURATOR", "relayscope")
        logging.getLogger(_LOADER).addFilter(_says_more_than_that_others_wait)
        try:
            _check_variables()
        except (ValueError, OSError) as error:
            # Once, instead of once for each of our hooks.
            self._is_mistaken = True
            _log.warning("relayscope: %s; no message is recorded", " ".join(str(error).split()))

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load an instrumentor; one that fails is left out, and all others still work.

        OpenTelemetry's own loader gives up altogether when one raises, which is what, for example,
        an instrumentor for mcp 1.x does where mcp 2.x is installed.
        """
        if self._is_mistaken and entry_point.name == "relayscope":
            return
        try:
            with defaults_set():
                super().load_instrumentor(entry_point, **kwargs)
            if entry_point.name != "relayscope":
                leave_to_the_host(entry_point)
        except ImportError:
            raise  # The loader handles these: the instrumented library is not there.
        except Exception:  # noqa: BLE001  # whatever another vendor's code may raise
            tell_failure(entry_point.name)


class RelayscopeConfigurator(_OTelSDKConfigurator):
    """OpenTelemetry's own configurator, with this distribution's name and a bounded exit."""

    def _configure(self, **kwargs: Any) -> None:
        with defaults_set(), beside_the_hosts():
            self._set_up(kwargs)

    def _set_up(self, kwargs: dict[str, Any]) -> None:
        if not os.environ.get("OTEL_PYTHON_ID_GENERATOR"):
            kwargs.setdefault("id_generator", SystemIds())
        super()._configure(  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
            resource_attributes={
                "telemetry.distro.name": "relayscope",
                "telemetry.distro.version": version("relayscope"),
                "service.instance.id": str(uuid4()),
                "process.pid": os.getpid(),
            },
            export_span_processor=_span_processor,
            export_log_record_processor=_log_record_processor,
            **kwargs,
        )
        resource = getattr(trace.get_tracer_provider(), "resource", None)
        disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        if resource is not None and not disabled:
            begin(resource)


def _says_more_than_that_others_wait(record: logging.LogRecord) -> bool:
    """Return whether a warning of OpenTelemetry's loader is news: configurators of others are not.

    `opentelemetry-distro`, on which published hosts depend, brings one, which is left out because
    ours is chosen.
    """
    is_left_out = str(record.msg).startswith("Configuration of %s not loaded")
    return not (is_left_out and isinstance(record.args, tuple) and "relayscope" in record.args[1:])


def _check_variables() -> None:
    """Read what the environment says, without doing anything.

    Raises:
        ValueError: A variable or the profiles' file says something that it cannot say.
        OSError: The profiles' file cannot be read.
    """
    chosen_levels()
    body_limit()
    call_seconds()


def _span_processor(exporter: SpanExporter) -> SpanProcessor:
    if not isinstance(exporter, SpoolSpanExporter):
        return _PromptSpanProcessor(exporter)
    return SpoolSpanProcessor(exporter.journal)


def _log_record_processor(exporter: LogRecordExporter) -> LogRecordProcessor:
    if not isinstance(exporter, SpoolLogRecordExporter):
        return _PromptLogRecordProcessor(exporter)
    return SpoolLogRecordProcessor(exporter.journal)


class _PromptSpanProcessor(BatchSpanProcessor):
    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=_EXIT_MILLISECONDS)


class _PromptLogRecordProcessor(BatchLogRecordProcessor):
    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=_EXIT_MILLISECONDS)
