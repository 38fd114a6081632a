"""Work that the collector does on old records by itself."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from relayscope.collector.config.settings import KeptApart, Settings
from relayscope.collector.maintenance.housekeeping import keep_house
from relayscope.storage import Writer, measure_database
from tests.fix_roles import Tenant
from tests.storage.samples import NOW, batch, log

if TYPE_CHECKING:
    from collections.abc import Callable

DAY: Final = 86_400 * 10**9
KEPT: Final = Settings(
    keep_logs=timedelta(days=5),
    keep_apart=(KeptApart(name="errors", errors=True, keep=timedelta(days=20)),),
)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round follows the other at once."""
    monkeypatch.setattr(
        "relayscope.collector.maintenance.housekeeping._PERIOD_OF_UPKEEP", timedelta(seconds=0.2)
    )


def store(engine: Engine) -> None:
    """Records of 3 and 8 days ago; every tenth is an error."""
    writer = Writer(engine)
    for days in (3, 8):
        logs = [
            log(at=NOW - days * DAY, severity_number=17 if n % 10 == 0 else 1) for n in range(50)
        ]
        writer.write([batch(logs=logs)])
    writer.close()


def keep_house_until(settings: Settings, url: str, done: Callable[[], bool]) -> None:
    """Let it work until something is so; it must end when it is told to."""

    async def run() -> None:
        house = asyncio.create_task(keep_house(settings, url))
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline
            assert not house.done()
            await asyncio.sleep(0.1)
        house.cancel()
        async with asyncio.timeout(60):
            await asyncio.wait({house})

    asyncio.run(run())


def test_what_is_past_is_sealed_and_what_is_old_removed(engine: Engine, database_url: str) -> None:
    """Without anybody's doing; partitions are made ahead, errors stay, and the figures tell."""
    store(engine)

    def done() -> bool:
        return measure_database(engine).removed.get(("log", "age"), 0) == 45

    keep_house_until(KEPT, database_url, done)
    size = measure_database(engine)
    assert size.sealed["log"][0] == 55
    assert size.sealed["log"][1] > 0
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from relayscope.logs")) == 55
        ahead = connection.scalar(
            text(
                "select count(*) from pg_inherits, relayscope_store.bounds(inhrelid)"
                " where start_time > now()"
            )
        )
        assert ahead == 3


def test_a_mere_writer_has_another_do_it(engine: Engine, tenant: Tenant) -> None:
    """If the collector may only write, `upkeep_database_url` names a role that may do more."""
    store(engine)
    of_upkeep = SecretStr(tenant.url(tenant.roles.retention))
    keep_house_until(
        KEPT.model_copy(update={"upkeep_database_url": of_upkeep}),
        tenant.url(tenant.roles.writer),
        lambda: measure_database(engine).removed.get(("log", "age")) == 45,
    )
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from relayscope.logs")) == 55


def test_house_is_kept_at_once_when_postgresql_is_back(
    engine: Engine,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Connections that were lost between two rounds make none of them fail."""
    monkeypatch.setattr(
        "relayscope.collector.maintenance.housekeeping._PERIOD", timedelta(seconds=2)
    )
    lost: list[int] = []

    def lose() -> None:
        with engine.connect() as connection:
            lost.extend(
                connection.scalars(
                    text(
                        "select pid from pg_stat_activity, pg_terminate_backend(pid, 5000)"
                        " where datname = current_database() and pid <> pg_backend_pid()"
                        " and state = 'idle' and state_change < now() - interval '0.5 seconds'"
                    )
                )
            )

    began = time.monotonic()

    def done() -> bool:
        if not lost:
            lose()
        return bool(lost) and time.monotonic() > began + 6

    keep_house_until(KEPT, database_url, done)
    assert not [record for record in caplog.records if record.message == "housekeeping failed"]
