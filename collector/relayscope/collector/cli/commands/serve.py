"""`relayscope serve`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
import webbrowser
from typing import TYPE_CHECKING, Final, NamedTuple

import click
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from relayscope.collector.cli.options import settings_options
from relayscope.collector.config.sanitizer_rules import load_rules
from relayscope.collector.errors import StartError
from relayscope.collector.internal_telemetry import json_log as log
from relayscope.collector.maintenance.housekeeping import keep_house
from relayscope.collector.query.database import reader_urls
from relayscope.collector.serve import ports, service, tls, workers
from relayscope.collector.serve.page_address import told, url_of
from relayscope.collector.serve.page_process import keep_page
from relayscope.collector.serve.worker_config import PageConfig, WorkerConfig
from relayscope.storage import (
    EmbeddedServer,
    Roles,
    StorageError,
    StorageUnavailable,
    create_engine,
    init_roles,
    migrate,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from relayscope.collector.config.settings import Address, Settings

_logger = logging.getLogger(__name__)

_COMING_UP: Final = "the database system is"  # starting up, in recovery mode, shutting down

_DATABASE_SECONDS: Final = 240.0
"""Time to wait for a database that is coming up, as long as the embedded one is given: recovery
after a crash replays up to max_wal_size, for which a poor disk took 2 minutes."""


@click.command()
@settings_options(
    "data_dir",
    "database_url",
    "grpc",
    "http",
    "page",
    "workers",
    "tls_certificate",
    "tls_key",
    "tls_client_ca",
    "sanitizer_rules",
    "insecure",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
def serve(settings: Settings, *, opens: bool) -> None:
    """Receive telemetry over OTLP, store it in PostgreSQL, and show it on a page in a browser.

    Each option is also a RELAYSCOPE_* variable and a key of the YAML file; tokens and limits are
    only there.
    """
    log.configure()
    tls.check(settings)
    rules = load_rules(settings)
    # Until the service has its own handlers: leave every `with`, so that no server stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as held:
        grpc_port, grpc_address = ports.hold(settings.grpc)
        held.enter_context(grpc_port)
        http_port, http_address = ports.hold(settings.http)
        held.enter_context(http_port)
        addresses = {"grpc": grpc_address, "http": http_address}
        page_port = None
        if settings.page is not None:
            page_port, addresses["page"] = _hold_page(settings.page)
            held.enter_context(page_port)
        settings = settings.model_copy(update=addresses)
        database = _database(settings, held)
        if page_port is not None:
            held.enter_context(told(settings))
        config = WorkerConfig(settings, rules, database.for_receivers)
        asyncio.run(_serve(config, database, page_port, opens=opens))


def _hold_page(address: Address) -> tuple[socket.socket, Address]:
    try:
        return ports.hold(address)
    except StartError as error:
        raise StartError(f"{error}; give the page another --page HOST:PORT, or none") from None


class _Database(NamedTuple):
    """The URLs of a migrated database.

    Attributes:
        for_receivers: of a user who can write. Receivers face strangers.
        for_house: of a user who can do whatever keeping house takes.
        for_page: the best first: of a user who can only read, if there is one.
    """

    for_receivers: str
    for_house: str
    for_page: tuple[str, ...]


def _database(settings: Settings, held: contextlib.ExitStack) -> _Database:
    """The database to use; an embedded server runs as long as `held`."""
    try:
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
        else:
            server = held.enter_context(EmbeddedServer.start(settings.data_dir))
            server.keep()
            url = server.url
        engine = create_engine(url)
        is_ours = settings.database_url is None
        is_passing = _is_restarting if is_ours else _is_coming_up
        _when_up(lambda: migrate(engine), is_passing)
        for_receivers = url
        of_page = settings.page_database_url
        for_page: tuple[str, ...] = (of_page.get_secret_value() if of_page else url,)
        if is_ours:
            # Nobody else has roles in there.
            roles = Roles.of("relayscope")
            _when_up(lambda: init_roles(engine, roles), is_passing)
            as_writer = make_url(url).set(username=roles.writer)
            for_receivers = as_writer.render_as_string(hide_password=False)
            for_page = reader_urls(url)
        engine.dispose()
    except (StorageError, ValueError) as error:
        raise StartError(str(error)) from None
    return _Database(for_receivers, url, for_page)


def _when_up(prepare: Callable[[], None], is_passing: Callable[[StorageUnavailable], bool]) -> None:
    """Prepare a database, again and again while it is away for a reason that will pass."""
    deadline = time.monotonic() + _DATABASE_SECONDS
    while True:
        try:
            return prepare()
        except StorageUnavailable as error:
            if not is_passing(error) or time.monotonic() > deadline:
                raise
            _logger.warning("waiting for the database", extra={"reason": str(error)})
            time.sleep(1)


def _is_coming_up(error: StorageUnavailable) -> bool:
    """Return whether PostgreSQL says that it is: after a boot, it starts beside the collector."""
    # libpq gives no code for a refused connection, only PostgreSQL's words.
    return _COMING_UP in str(error)


def _is_restarting(error: StorageUnavailable) -> bool:
    """Return whether our own PostgreSQL is away: its supervisor starts it again after any crash."""
    return isinstance(error.__cause__, OperationalError)


def _open(url: str) -> None:
    webbrowser.open(url)


async def _serve(
    config: WorkerConfig, database: _Database, page_port: socket.socket | None, *, opens: bool
) -> None:
    settings = config.settings
    stop = service.stop_on_signals()
    run = service.run if settings.workers == 1 else workers.run
    beside = [asyncio.create_task(keep_house(settings, database.for_house))]

    def ready() -> None:
        _logger.info("listening", extra={"protocol": "otlp/grpc", "address": str(settings.grpc)})
        _logger.info("listening", extra={"protocol": "http", "address": str(settings.http)})
        if page_port is not None:
            page_port.listen()
            page_config = PageConfig(settings, database.for_page)
            beside.append(asyncio.create_task(keep_page(page_config, page_port)))
            url = url_of(settings)
            _logger.info(
                "listening", extra={"protocol": "page", "address": str(settings.page), "url": url}
            )
            click.echo(f"The page: {url}/")
            if opens:
                beside.append(asyncio.create_task(asyncio.to_thread(_open, url)))
        _logger.info("ready")

    try:
        await run(config, stop, ready)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
    _logger.info("stopped")
