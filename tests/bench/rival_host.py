"""Runs a program with one of the instrumentations that `bench_rivals` compares.

usage: python -m tests.bench.rival_host SERVICE VARIANT PROGRAM ARGUMENT...

VARIANT is `nothing`, a level (relayscope with all its hooks), `traceloop` or `openinference`. All
but `nothing` export through the SDK's batch processors, with OTLP over gRPC.
"""

import importlib
import os
import runpy
import sys
from importlib.metadata import entry_points
from typing import Final

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from relayscope.conventions.environment import RELAYSCOPE_LEVEL

NOTHING: Final = "nothing"

RIVALS: Final = {
    "traceloop": ("opentelemetry.instrumentation.mcp", "McpInstrumentor"),
    "openinference": ("openinference.instrumentation.mcp", "MCPInstrumentor"),
}


def set_up(service: str) -> None:
    """Make the SDK's providers the process's own."""
    resource = Resource.create({"service.name": service})
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    trace.set_tracer_provider(tracers)
    set_logger_provider(loggers)


def instrument(variant: str) -> None:
    """Put the variant's hooks in place."""
    if variant in RIVALS:
        module, name = RIVALS[variant]
        getattr(importlib.import_module(module), name)().instrument()
        return
    os.environ[RELAYSCOPE_LEVEL] = variant
    for entry_point in entry_points(group="opentelemetry_instrumentor"):
        if entry_point.name == "relayscope":
            entry_point.load()().instrument()


def main() -> None:
    """Set up, and become the program."""
    service, variant, program, *arguments = sys.argv[1:]
    if variant != NOTHING:
        set_up(service)
        instrument(variant)
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
