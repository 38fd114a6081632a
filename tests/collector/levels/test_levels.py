"""The level of each component can be changed while it runs."""

from __future__ import annotations

import getpass
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from tests.fix_levels import Crowd, Host, level, listed, processes, recorded
from tests.fix_programs import eventually, free_port
from tests.soak.field import own_field
from tests.soak.levels import play

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from tests.fix_collector import Collector, StartCollector


def is_recorded_with_texts(host: Host, database_url: str) -> bool:
    """Make a call, and another that is stored after it; return whether the first has its texts."""
    number = host.call()

    def has_texts() -> bool:
        return len(recorded(database_url, host.component, number)) == 2

    # Where nothing is recorded, there is nothing to wait for.
    until, later = time.monotonic() + 3, None
    while time.monotonic() < until and not has_texts():
        time.sleep(0.05)
        if later is None and has_span(database_url, number):
            later = host.call()
        elif later is not None and has_span(database_url, later):
            break
    return has_texts()


def has_span(database_url: str, number: int) -> bool:
    """Return whether the span of a call is stored."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "select exists (select from relayscope.spans"
            " where component = 'relay' and attributes ->> 'jsonrpc.request.id' = %s)",
            (str(number),),
        ).fetchone()
    return bool(row and row[0])


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
    start_collector: StartCollector, database_url: str, hosts: ExitStack
) -> None:
    """A level that was set for some seconds ends after them, with no collector to say so."""
    collector = start_collector(environment={"RELAYSCOPE_GRPC": f"127.0.0.1:{free_port()}"})
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    until = 0.0

    def is_taken() -> bool:
        nonlocal until
        # On a busy machine it may end before it is seen.
        level(collector, "set", "relay", "TRACE", "--for", "8s")
        for rule in listed(collector)["rules"]:
            until = datetime.fromisoformat(rule["until"]).timestamp()
        return is_recorded_with_texts(host, database_url)

    eventually(is_taken)
    collector.kill()

    inside = host.call()
    is_inside = time.time() < until
    time.sleep(max(0.0, until + 3 - time.time()))
    after = host.call()

    start_collector(environment={"RELAYSCOPE_GRPC": collector.grpc})
    last = host.call()
    eventually(lambda: has_span(database_url, last))
    assert len(recorded(database_url, "relay", inside)) == 2 or not is_inside
    assert recorded(database_url, "relay", after) == []


def test_a_process_that_records_nothing_can_be_made_to_record(
    collector: Collector, database_url: str, hosts: ExitStack
) -> None:
    """At OFF its messages are not looked at; it looks for its levels all the same."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="OFF"))
    host.call()
    level(collector, "set", "relay", "TRACE")

    eventually(lambda: is_recorded_with_texts(host, database_url))

    level(collector, "set", "relay", "OFF")
    eventually(lambda: not is_recorded_with_texts(host, database_url))
    level(collector, "set", "relay", "TRACE")
    eventually(lambda: is_recorded_with_texts(host, database_url))


def test_rules_select_as_profiles_do(
    collector: Collector, database_url: str, hosts: ExitStack
) -> None:
    """By peer, method, tool and direction; narrower rules count before those for all messages."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    level(collector, "set", "relay", "TRACE", "--tool", "a*", "--direction", "received")
    level(collector, "set", "relay", "TRACE", "--peer", "nobody")
    level(collector, "set", "other", "TRACE")
    eventually(lambda: set_and_taken(host, collector))

    added, removed = host.call("add"), host.call("remove")
    level(collector, "set", "relay", "TRACE", "--method", "tools/*")
    eventually(lambda: is_recorded_with_texts(host, database_url))

    assert len(recorded(database_url, "relay", added)) == 1
    assert recorded(database_url, "relay", removed) == []


def set_and_taken(host: Host, collector: Collector) -> bool:
    """Make a call; return whether the process has taken the rules that hold now."""
    host.call("remove")
    return [each["state"] for each in processes(collector, host.component)] == ["taken"]


def test_the_host_s_own_log_records_have_a_level(
    collector: Collector, database_url: str, hosts: ExitStack
) -> None:
    """Less of them, and all of the messages."""
    host = hosts.enter_context(Host("relay", collector, "host"))
    level(collector, "set", "relay", "ERROR", "--host-logs")
    eventually(lambda: set_and_taken(host, collector))
    with psycopg.connect(database_url) as connection:
        (now,) = connection.execute("select now()").fetchone() or (None,)

    number = host.call()
    eventually(lambda: len(recorded(database_url, "relay", number)) == 2)

    def said() -> list[Any]:
        with psycopg.connect(database_url) as connection:
            return connection.execute(
                "select body from relayscope.logs where scope_name = 'host' and time > %s", (now,)
            ).fetchall()

    eventually(said)
    assert said() == [(f"error of {number}",)]


def test_a_rule_that_cannot_be_taken_is_told_and_the_old_one_stays(
    collector: Collector, database_url: str, hosts: ExitStack
) -> None:
    """A newer collector may offer what an older process does not know."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    level(collector, "set", "relay", "TRACE")
    eventually(lambda: is_recorded_with_texts(host, database_url))
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into relayscope_store.level_rule (id, component, level, peer, method, target,"
            " direction, host_logs, set_by) values"
            " (gen_random_uuid(), 'relay', 'LOUD', '*', '*', '*', '', false, 'a newer one')"
        )
    eventually(
        lambda: (
            host.call() and [each["state"] for each in processes(collector, "relay")] == ["refused"]
        )
    )

    assert "unknown level 'LOUD'" in refused(collector)[0]["message"]
    assert "unknown level 'LOUD'" in level(collector, "list").stdout
    eventually(lambda: is_recorded_with_texts(host, database_url))
    with psycopg.connect(database_url) as connection:
        told = connection.execute(
            "select count(*) from relayscope.logs where event_name = 'relayscope.level.refused'"
        ).fetchone()
    assert told == (1,)

    level(collector, "reset", "relay")
    eventually(lambda: not is_recorded_with_texts(host, database_url))


def refused(collector: Collector) -> list[dict[str, Any]]:
    """Return the listed processes that have refused their rules."""
    return [each for each in listed(collector)["processes"] if each["state"] == "refused"]


def test_a_forged_file_changes_nothing_is_told_and_replaced(
    collector: Collector, database_url: str, hosts: ExitStack, spool_dir: Path
) -> None:
    """The file in the spool folder has what the collector says, or it does not count."""
    host = hosts.enter_context(Host("relay", collector, RELAYSCOPE_LEVEL="INFO"))
    level(collector, "set", "relay", "DEBUG")
    eventually(lambda: set_and_taken(host, collector))
    (path,) = (spool_dir / "relay").glob("levels-*.json")
    whole = path.read_bytes()

    path.write_bytes(whole.replace(b"DEBUG", b"TRACE"))

    def is_told() -> bool:
        host.call()
        with psycopg.connect(database_url) as connection:
            rows = connection.execute(
                "select body from relayscope.logs where event_name = 'relayscope.level.refused'"
            ).fetchall()
        return any("cut off, or was changed" in row[0] for row in rows)

    eventually(is_told)
    eventually(lambda: b"TRACE" not in path.read_bytes())
    eventually(lambda: set_and_taken(host, collector))
    with psycopg.connect(database_url) as connection:
        changes = connection.execute(
            "select distinct attributes ->> 'relayscope.level.now' from relayscope.logs"
            " where event_name = 'relayscope.level.changed'"
        ).fetchall()
    assert changes == [("DEBUG",)]


def test_rules_wait_for_components_and_outlast_collectors(
    start_collector: StartCollector, database_url: str, hosts: ExitStack
) -> None:
    """Set before the component runs, kept by another collector on the database, as by a new one."""
    first, second = start_collector(), start_collector()
    level(first, "set", "relay", "TRACE", "--for", "1h")
    first.kill()
    assert [rule["component"] for rule in listed(second)["rules"]] == ["relay"]

    host = hosts.enter_context(Host("relay", second, RELAYSCOPE_LEVEL="INFO"))
    eventually(lambda: is_recorded_with_texts(host, database_url))

    third = start_collector()
    level(third, "reset", "relay")
    eventually(lambda: not is_recorded_with_texts(host, database_url))


def test_fifty_processes_of_a_component_all_follow(
    collector: Collector, database_url: str, hosts: ExitStack
) -> None:
    """Each takes its level, and says so in a record of its own."""
    hosts.enter_context(Crowd("crowd", collector, "50", RELAYSCOPE_LEVEL="INFO"))
    level(collector, "set", "crowd", "DEBUG")

    def states() -> list[str]:
        return [each["state"] for each in processes(collector, "crowd") if each["level"] == "DEBUG"]

    eventually(lambda: states().count("taken") >= 50)

    def followed() -> int:
        with psycopg.connect(database_url) as connection:
            row = connection.execute(
                "select count(distinct resource ->> 'service.instance.id') from relayscope.logs"
                " where event_name = 'relayscope.level.changed'"
            ).fetchone()
        return row[0] if row else 0

    eventually(lambda: followed() >= 50)


def test_changes_are_in_a_view(collector: Collector, database_url: str) -> None:
    """Its rows tell who changed what, when, and for how long."""
    level(collector, "set", "relay", "TRACE", "--for", "1h", "--peer", "*:9060")
    level(collector, "set", "relay", "DEBUG", "--for", "2h", "--peer", "*:9060")
    level(collector, "reset", "relay")
    with psycopg.connect(database_url) as connection:
        changes = connection.execute(
            "select change, level, peer, round(extract(epoch from duration) / 3600), by = %s"
            " from relayscope.level_changes order by time, change desc",
            (getpass.getuser(),),
        ).fetchall()

    assert changes == [
        ("set", "TRACE", "*:9060", 1, True),
        ("replaced", "TRACE", "*:9060", 0, True),
        ("set", "DEBUG", "*:9060", 2, True),
        ("reset", "DEBUG", "*:9060", 0, True),
    ]


def test_what_is_set_for_some_time_lies_over_what_is_set_for_ever(collector: Collector) -> None:
    """After it, the earlier level holds again; another one for ever takes the place of both."""
    level(collector, "set", "relay", "INFO")
    level(collector, "set", "relay", "TRACE", "--for", "1h")
    assert [rule["level"] for rule in listed(collector)["rules"]] == ["TRACE", "INFO"]

    level(collector, "set", "relay", "WARN")
    assert [rule["level"] for rule in listed(collector)["rules"]] == ["WARN"]


def test_a_mistake_is_said(collector: Collector) -> None:
    """On stderr, with what to do; nothing is set."""
    for arguments, why in (
        (("set", "relay", "LOUD"), "'LOUD' is not one of"),
        (("set", "relay", "INFO", "--for", "soon"), "write 90s, 10m, 2h or 1d"),
        (("set", "relay", "INFO", "--host-logs", "--peer", "x"), "have no peer"),
        (("set", "relay", "OFF", "--peer", ""), "'--peer': it is empty"),
        (("set", "", "INFO"), "'COMPONENT': it is empty"),
        (("reset", "relay"), "no such rule for 'relay'"),
        (("list", "--collector", "http://127.0.0.1:1"), "start `relayscope serve`"),
        (("list", "--collector", "here"), "write http://127.0.0.1:4318"),
    ):
        told = level(collector, *arguments)
        assert (told.returncode != 0, why in told.stderr) == (True, True), told
    assert listed(collector)["rules"] == []


def test_changes_under_load_cost_no_record_and_no_answer() -> None:
    """At random, one after the other; `make soak-levels` does more, and measures how soon."""
    with own_field() as ground:
        result = play(ground, 3, seed=3)

    assert result.is_whole, result
