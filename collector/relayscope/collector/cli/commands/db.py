"""`relayscope db`: a PostgreSQL of one's own, made ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from relayscope.collector.cli.options import CommandFailed, settings_options
from relayscope.collector.maintenance.reader_bounds import missing_bounds
from relayscope.storage import Roles, StorageError, create_engine, init_roles, migrate

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings


@click.group()
def db() -> None:
    """Prepare a PostgreSQL of your own. The embedded one needs none of this."""


@db.command()
@click.option(
    "--prefix",
    default="relayscope",
    show_default=True,
    metavar="NAME",
    help="What the names of the roles begin with; give each tenant's database its own.",
)
@settings_options("database_url")
def init(*, settings: Settings, prefix: str) -> None:
    """Make the tables, the views, and a role for each kind of work.

    Run it as a user who may make roles, and again after each update of relayscope. NAME_writer is
    for `relayscope serve`, NAME_reader for everybody who reads, NAME_retention for what seals and
    removes old records; NAME_owner owns everything and does not log in. The roles have no password:
    give those one that log in over a network, with `alter role NAME_writer password ...`.
    """
    if settings.database_url is None:
        raise click.UsageError("give a --database-url: the embedded PostgreSQL needs no init")
    roles = Roles.of(prefix)
    try:
        engine = create_engine(settings.database_url.get_secret_value())
        try:
            migrate(engine)
            init_roles(engine, roles)
            missing = list(missing_bounds(engine))
        finally:
            engine.dispose()
    except (StorageError, ValueError) as error:
        raise CommandFailed(str(error)) from None
    for role, warning in missing:
        click.echo(f"{role}: {warning}", err=True)
    click.echo(f"ready: {', '.join(roles)}")
