"""The collector with the rights of a writer, and the command that makes the roles."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import make_url

from relayscope.collector.signals import LOGS, METRICS, TRACES
from relayscope.storage import EmbeddedServer
from tests import otlp_samples
from tests.fix_collector import Collector, collector_environment
from tests.fix_programs import SCRIPTS, eventually, run

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fix_collector import StartCollector
    from tests.fix_roles import Tenant


def test_a_collector_starts_and_stores_with_the_rights_of_a_writer(
    tenant: Tenant, engine: Engine, start_collector: StartCollector
) -> None:
    """S3: no owner's URL anywhere; partitions are made, the house is kept, figures are told."""
    url = tenant.url(tenant.roles.writer)
    collector = start_collector(environment={"RELAYSCOPE_DATABASE_URL": url})
    for signal, request in (
        (TRACES, otlp_samples.traces()),
        (LOGS, otlp_samples.logs()),
        (METRICS, otlp_samples.metrics()),
    ):
        assert collector.post(signal.name, request.SerializeToString()).status == 200
    assert collector.ask("GET", "/readyz").status == 200

    def told() -> object:
        with engine.connect() as connection:
            return connection.exec_driver_sql("select 1 from collector_figures").first()

    eventually(told)
    with engine.connect() as connection:
        stored = connection.exec_driver_sql(
            "select (select count(*) from spans), (select count(*) from logs) > 0"
        ).one()
    assert tuple(stored) == (2, True)
    assert collector.stop() == 0
    (said,) = [line for line in collector.log if line.get("level") not in {"info", None}]
    assert said["event"].endswith("set upkeep_database_url")


def test_a_reader_who_may_fill_the_disk_is_told_of(
    administrator_url: str, tenant: Tenant, start_collector: StartCollector
) -> None:
    """Roles made by who is no superuser: `db init` and `serve` say which reader, and what to do."""
    reader = f"{tenant.roles.owner.removesuffix('_owner')}_b_reader"
    init = [str(SCRIPTS / "relayscope"), "db", "init", "--prefix", reader.removesuffix("_reader")]
    ways = ("temp_file_limit", "large objects")
    made = run([*init, "--database-url", administrator_url], collector_environment())
    assert made.returncode == 0
    for line, way in zip(made.stderr.splitlines(), ways, strict=True):
        assert line.startswith(f"{reader}: ")
        assert way in line
    collector = start_collector(environment={"RELAYSCOPE_DATABASE_URL": administrator_url})

    def told(way: str) -> list[object]:
        return [line["role"] for line in collector.log if way in line["event"]]

    eventually(lambda: [told(way) for way in ways] == [[reader], [reader]])
    superuser = make_url(tenant.admin_url).set(database=make_url(administrator_url).database)
    made = run([*init, "--database-url", str(superuser)], collector_environment())
    assert (made.returncode, made.stderr) == (0, "")


def test_the_command_line_shows_nothing_of_another_tenant(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    """S2: whoever has the reader's login of one database is refused in another."""
    stranger = make_url(other_tenant.url(other_tenant.roles.reader)).set(
        database=make_url(tenant.admin_url).database
    )
    for command in (["messages"], ["traces"], ["sql", "select * from relayscope.logs"]):
        environment = {"RELAYSCOPE_DATABASE_URL": stranger.render_as_string(hide_password=False)}
        done = run([str(SCRIPTS / "relayscope"), *command], collector_environment(environment))
        assert (done.returncode, done.stdout) == (1, "")
        assert "permission denied for schema relayscope" in done.stderr


def test_commands_read_as_the_page_does(tenant: Tenant, tmp_path: Path) -> None:
    """If `database_url` may only write: by `page_database_url`, without which they say so."""
    config = tmp_path / "collector.yaml"
    config.write_text(f"database_url: {tenant.url(tenant.roles.writer)}\n")
    command = [str(SCRIPTS / "relayscope"), "sql", "select count(*) from spans"]
    environment = collector_environment({"RELAYSCOPE_CONFIG": str(config)})
    done = run(command, environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "may not read what is stored here" in done.stderr
    assert "page_database_url" in done.stderr
    with config.open("a") as file:
        file.write(f"page_database_url: {tenant.url(tenant.roles.reader)}\n")
    done = run(command, environment)
    assert (done.stdout, done.stderr) == ("count\n0\n", "")


def test_a_url_on_the_command_line_is_the_one_that_is_used(
    tenant: Tenant, other_tenant: Tenant, tmp_path: Path
) -> None:
    """The users that the settings name for the page and for upkeep are of another database."""
    config = tmp_path / "collector.yaml"
    config.write_text(
        f"database_url: {tenant.url(tenant.roles.writer)}\n"
        f"page_database_url: {tenant.url(tenant.roles.reader)}\n"
        f"upkeep_database_url: {tenant.url(tenant.roles.retention)}\n"
    )
    environment = collector_environment({"RELAYSCOPE_CONFIG": str(config)})
    other = make_url(other_tenant.admin_url)
    command = [str(SCRIPTS / "relayscope"), "sql", "select current_database()"]
    done = run([*command, "--database-url", str(other)], environment)
    assert (done.stdout, done.stderr) == (f"current_database\n{other.database}\n", "")
    command = [str(SCRIPTS / "relayscope"), "seal", "--database-url"]
    done = run([*command, other_tenant.url(other_tenant.roles.writer)], environment)
    assert done.returncode == 1


def test_the_embedded_database_has_roles_for_its_receivers() -> None:
    """Receivers face strangers, so they log in as a role that can read no record, by default."""
    with tempfile.TemporaryDirectory(prefix="rs") as folder:
        listening = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
        with Collector("--data-dir", folder, *listening) as collector:
            collector.wait_until_ready()
            raw = otlp_samples.traces().SerializeToString()
            assert collector.post("traces", raw).status == 200
            with psycopg.connect(EmbeddedServer.url_of(Path(folder))) as connection:
                writers = connection.execute(
                    "select query from pg_stat_activity where usename = 'relayscope_writer'"
                ).fetchall()
                assert writers
                stored = connection.execute("select count(*) from relayscope.spans").fetchone()
                assert stored == (2,)
            assert collector.stop() == 0


def test_a_writer_that_finds_old_tables_says_who_can_help(tenant: Tenant, engine: Engine) -> None:
    """It starts only when somebody who may has brought the database up to date."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "update relayscope_store.alembic_version set version_num = 'v0000'"
        )
    url = tenant.url(tenant.roles.writer)
    with Collector(
        environment={
            "RELAYSCOPE_DATABASE_URL": url,
            "RELAYSCOPE_GRPC": "127.0.0.1:0",
            "RELAYSCOPE_HTTP": "127.0.0.1:0",
        }
    ) as collector:
        assert collector.wait() == 1
    assert "relayscope db init" in str(collector.log)


def test_one_command_makes_tables_and_roles(tenant: Tenant, empty_database_url: str) -> None:
    """In an empty database; a second time it changes nothing."""
    environment = collector_environment({"RELAYSCOPE_DATABASE_URL": empty_database_url})
    prefix = tenant.roles.owner.removesuffix("_owner")
    for _ in range(2):
        done = run([str(SCRIPTS / "relayscope"), "db", "init", "--prefix", prefix], environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"ready: {', '.join(tenant.roles)}\n"


def test_whoever_may_not_make_roles_is_told(tenant: Tenant) -> None:
    """In one line, with what it takes."""
    environment = collector_environment(
        {"RELAYSCOPE_DATABASE_URL": tenant.url(tenant.roles.retention)}
    )
    done = run([str(SCRIPTS / "relayscope"), "db", "init"], environment)
    assert done.returncode == 1
    assert "CREATEROLE" in done.stderr
