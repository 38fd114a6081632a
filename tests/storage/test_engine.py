"""Errors for database URLs that cannot be used."""

import pytest
from sqlalchemy import Engine, text

from relayscope.storage import create_engine, place_of


@pytest.mark.parametrize(
    "url",
    [
        "postgresql//user:s3cretpw@host/name",
        "postgresql://user:one@s3cretpw@host/name",
        "postgresql://user:one@host:s3cretpw/name",
        "mysql://user:s3cretpw@host/name",
        "host=127.0.0.1 password=s3cretpw",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    """The message says what to write, and nothing of what was written."""
    with pytest.raises(ValueError, match=r"postgresql://user@host/name|%40") as refused:
        create_engine(url)

    assert "s3cret" not in str(refused.value)


def test_a_connection_that_the_server_has_closed_is_not_used_again(
    engine: Engine, database_url: str
) -> None:
    """As after PostgreSQL was killed: whoever asks next gets another one."""
    other = create_engine(database_url)
    with other.connect() as connection:
        process = connection.scalar(text("select pg_backend_pid()"))
    with engine.connect() as connection:
        connection.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": process})
    with other.connect() as connection:
        assert connection.scalar(text("select pg_backend_pid()")) != process
    other.dispose()


def test_texts_are_unicode_whatever_the_environment_says(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGCLIENTENCODING and PGOPTIONS are no settings of ours; what the URL says is."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere -c unknown=setting")
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("select '☃'")) == "☃"
    engine.dispose()
    engine = create_engine(f"{database_url}&options=-c%20work_mem%3D1MB")
    with engine.connect() as connection:
        assert connection.scalar(text("show work_mem")) == "1MB"
    engine.dispose()


def test_a_place_is_the_same_whoever_goes_there() -> None:
    """And is told apart from others on the same machine."""
    place = "postgresql://db.example:5433/records?port=1"
    assert place_of(f"{place}&sslmode=require") == place
    assert place_of(place.replace("://", "+psycopg://user:secret@")) == place
    assert place_of("postgresql://u@/records?host=/a") != place_of(
        "postgresql://u@/records?host=/b"
    )
