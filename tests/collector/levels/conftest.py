"""A collector for tests of levels, which has heard of nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fix_collector import Collector


@pytest.fixture
def database_url(shared_database_url: str, shared_engine: Engine) -> str:
    """The database of the file's collector, without records, processes and rules."""
    with shared_engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate relayscope_store.span, relayscope_store.log, relayscope_store.level_agent,"
            " relayscope_store.level_rule"
        )
    return shared_database_url


@pytest.fixture
def collector(shared_collector: Collector, database_url: str) -> Collector:
    """A collector that has heard of no process and has no rule."""
    del database_url
    return shared_collector
