"""Connecting to PostgreSQL."""

from typing import Final

import sqlalchemy
from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

_SCHEMES: Final = ("postgres", "postgresql", "postgresql+psycopg")

_CONNECTION_DEFAULTS: Final = {
    "application_name": "relayscope",
    # Longer than a healthy database needs, shorter than the 10 s an OTLP client waits for us.
    "connect_timeout": "5",
    # A peer that vanished without a word is noticed in a minute, not after the system's two hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    # Whatever PGCLIENTENCODING and PGOPTIONS say: texts are of any language.
    "client_encoding": "UTF8",
    "options": "",
}

_PLACE: Final = frozenset({"host", "port", "dbname"})
"""Those of a URL's parameters that say where the database is."""


def create_engine(url: str) -> Engine:
    """Make a SQLAlchemy engine for a PostgreSQL URL; nothing is connected yet.

    Args:
        url: `postgresql://…`, `postgres://…` or `postgresql+psycopg://…`. What it says
            (`?connect_timeout=60`) wins over our defaults.

    Raises:
        ValueError: It is no URL, or not one of PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without the cause: it repeats the URL or a part of it, which may hold a password.
        raise ValueError(
            "The database URL cannot be read; use postgresql://user@host/name"
        ) from None
    if "@" in (parsed.host or ""):
        # Who cannot be reached would be named: with the end of a password.
        raise ValueError("The database URL has more than one @; write one in a password as %40")
    if parsed.drivername not in _SCHEMES:
        raise ValueError(
            f"{parsed.drivername}:// is not PostgreSQL; use postgresql://user@host/name"
        )
    return sqlalchemy.create_engine(
        parsed.set(drivername="postgresql+psycopg").update_query_dict(
            {k: v for k, v in _CONNECTION_DEFAULTS.items() if k not in parsed.query}
        ),
        # PostgreSQL may have been started anew since a connection was used last.
        pool_pre_ping=True,
    )


def place_of(url: str) -> str:
    """Return where the database of a URL is, whoever connects and however."""
    parsed = make_url(url)
    return URL.create(
        "postgresql",
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        query={name: said for name, said in parsed.query.items() if name in _PLACE},
    ).render_as_string()
