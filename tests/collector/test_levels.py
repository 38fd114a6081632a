"""How much is recorded can be changed for each component, while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.fix_levels import Host, level, listed, processes, recorded
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.fix_collector import Collector, StartCollector


def is_recorded_with_texts(host: Host, database_url: str) -> bool:
    """Make a call, and another that is stored after it; return whether the first has its texts."""
    number = host.call()
    until = time.monotonic() + 3
    while time.monotonic() < until:
        if len(recorded(database_url, host.component, number)) == 2:
            return True
        time.sleep(0.1)
    return False


def test_a_level_is_set_and_reset_while_the_process_runs(
    collector: Collector, database_url: str, hosts: ExitStack
) -> None:
    """After one command, messages are recorded with their texts; after another, no more."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    assert not is_recorded_with_texts(host, database_url)

    assert level(collector, "set", "relay", "TRACE").returncode == 0
    eventually(lambda: is_recorded_with_texts(host, database_url))

    assert level(collector, "reset", "relay").returncode == 0
    eventually(lambda: not is_recorded_with_texts(host, database_url))


def test_the_list_says_who_has_taken_what(collector: Collector, hosts: ExitStack) -> None:
    """The rule, who set it, and the process with its level; an idle one takes it later."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    host.call()
    eventually(lambda: [each["state"] for each in processes(collector, "relay")] == ["own"])

    level(collector, "set", "re*", "DEBUG", "--for", "10m")
    (rule,) = listed(collector)["rules"]
    assert (rule["component"], rule["level"]) == ("re*", "DEBUG")
    assert rule["by"]
    assert rule["until"] > rule["since"]
    eventually(lambda: [each["state"] for each in processes(collector, "relay")] == ["given"])

    host.call()
    eventually(lambda: [each["state"] for each in processes(collector, "relay")] == ["taken"])
    (process,) = processes(collector, "relay")
    assert (process["level"], process["pid"]) == ("DEBUG", host.process.pid)
    assert "re*" in level(collector, "list").stdout


def test_a_level_ends_by_itself_also_when_the_collector_is_gone(
    collector: Collector, start_collector: StartCollector, database_url: str, hosts: ExitStack
) -> None:
    """What was set for some seconds is over after them, though nobody is there to say so."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    begun = time.monotonic()
    level(collector, "set", "relay", "TRACE", "--for", "8s")
    eventually(lambda: is_recorded_with_texts(host, database_url))
    collector.kill()

    inside = host.call()
    time.sleep(max(0.0, begun + 10 - time.monotonic()))
    after = host.call()

    other = start_collector(environment={"RELAYSCOPE_GRPC": collector.grpc})
    assert other.grpc == collector.grpc
    eventually(lambda: len(recorded(database_url, "relay", inside)) == 2)
    assert recorded(database_url, "relay", after) == []
