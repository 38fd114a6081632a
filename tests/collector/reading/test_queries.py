"""The named statements."""

import re
from importlib.resources import files

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from relayscope.collector.cli.main import main
from relayscope.collector.query.queries import FILES, query

FOLDER = files("relayscope.collector.query")
TEXT = "\n".join(FOLDER.joinpath(name).read_text("utf-8") for name in FILES)
NAMES = re.findall(r"^-- (\w+) --$", TEXT, re.MULTILINE)


def test_each_has_a_name_and_a_description() -> None:
    """A reader of the files learns what each statement is for."""
    assert NAMES
    assert len(set(NAMES)) == len(NAMES)
    for name in NAMES:
        assert re.search(rf"^-- {name} --\n-- \w", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_one_statement_without_comments(name: str) -> None:
    """Only the statement itself is sent to the database."""
    statement = query(name)  # type: ignore[arg-type,unused-ignore] # the names are the file's own
    assert re.match(r"select|with", statement)
    assert "--" not in statement
    assert ";" not in statement


def test_a_database_that_lacks_what_a_statement_reads_is_said_so(
    engine: Engine, database_url: str
) -> None:
    """Another version of relayscope has made it."""
    with engine.begin() as connection:
        connection.execute(text("drop function relayscope_store.newest cascade"))
    result = CliRunner().invoke(main, ["logs", "--text", "x", "--database-url", database_url])
    assert result.exit_code == 1
    assert "relayscope has no tables of this version in this database" in result.stderr
    assert "`relayscope serve`, started again, makes them or says what to do" in result.stderr


def test_an_unknown_name_is_an_error() -> None:
    """A misspelled name is found by the first test that comes by."""
    with pytest.raises(KeyError):
        query("no_such_statement")
