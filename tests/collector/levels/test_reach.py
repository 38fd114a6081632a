"""Whoever sets levels learns which processes they do not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from tests.fix_levels import Host, level, listed, processes
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.fix_collector import Collector


def test_who_sets_a_level_is_told_whom_it_does_not_reach(
    collector: Collector, hosts: ExitStack
) -> None:
    """A process that sends records and does not ask, with what to set; and that nobody is there."""
    told = level(collector, "set", "nob*", "TRACE")
    assert (told.returncode, told.stdout) == (0, "")
    assert "this reaches nobody now: no process of nob* asks" in told.stderr
    deaf = hosts.enter_context(Host("deaf", collector, RELAYSCOPE_OPAMP_ENDPOINT="none"))
    asking = hosts.enter_context(Host("asking", collector))
    deaf.call()
    asking.call()
    eventually(lambda: [each["state"] for each in processes(collector, "deaf")] == ["unreachable"])
    eventually(lambda: [each["state"] for each in processes(collector, "asking")] == ["own"])

    told = level(collector, "set", "dea?", "TRACE")

    assert (told.returncode, told.stdout) == (0, "")
    assert "this does not reach deaf: " in told.stderr
    assert f"RELAYSCOPE_OPAMP_ENDPOINT={collector.url('')}" in told.stderr
    assert level(collector, "set", "asking", "TRACE").stderr == ""


def test_a_process_that_does_not_ask_is_listed_as_such(
    collector: Collector, hosts: ExitStack
) -> None:
    """An older relayscope, or one whose user has turned it off; and once it says so, as ended."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_OPAMP_ENDPOINT="none"))
    host.call()

    def states() -> list[str]:
        return [each["state"] for each in listed(collector)["processes"]]

    eventually(lambda: states() == ["unreachable"])
    assert "cannot be reached" in level(collector, "list").stdout
    host.close()
    eventually(lambda: states() == ["ended"])
    assert "cannot be reached" not in level(collector, "list").stdout


def test_a_process_that_said_its_last_word_elsewhere_has_ended(
    collector: Collector, database_url: str, hosts: ExitStack
) -> None:
    """Its forwarder is gone before it could say so here; its records say it."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    host.call()
    eventually(lambda: [each["state"] for each in processes(collector, "relay")] == ["own"])
    host.close()

    def states() -> list[str]:
        return [each["state"] for each in listed(collector)["processes"]]

    eventually(lambda: states() == ["ended"])
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update relayscope_store.level_agent"
            " set ended = false, last_seen = now() - interval '5 minutes'"
        )
    assert states() == ["ended"]
