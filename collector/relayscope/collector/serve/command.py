"""`relayscope serve`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

import click

from relayscope.collector import log, ports
from relayscope.collector.errors import StartError
from relayscope.collector.options import settings_options
from relayscope.collector.serve import service
from relayscope.storage import EmbeddedServer, StorageError, create_engine, migrate

if TYPE_CHECKING:
    from relayscope.collector.settings import Settings


@click.command()
@settings_options(
    "data_dir",
    "database_url",
    "grpc",
    "http",
    "workers",
    "tls_certificate",
    "tls_key",
    "tls_client_ca",
    "sanitizer_rules",
    "insecure",
)
def serve(settings: Settings) -> None:
    """Receive telemetry over OTLP and store it in PostgreSQL.

    Each option is also a RELAYSCOPE_* variable and a key of the YAML file; tokens and limits are
    only there.
    """
    log.configure()
    # Until the service has its own handlers: leave every `with`, so that no server stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as running:
        grpc_hold, grpc_address = ports.hold(settings.grpc)
        running.enter_context(grpc_hold)
        http_hold, http_address = ports.hold(settings.http)
        running.enter_context(http_hold)
        settings = settings.model_copy(update={"grpc": grpc_address, "http": http_address})
        try:
            if settings.database_url is not None:
                url = settings.database_url.get_secret_value()
            else:
                url = running.enter_context(EmbeddedServer.start(settings.data_dir)).url
            engine = create_engine(url)
            migrate(engine)
            engine.dispose()
        except (StorageError, ValueError) as error:
            raise StartError(str(error)) from None
        asyncio.run(service.run(settings, url))
