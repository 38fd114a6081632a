"""The documented contract is the database's own."""

from __future__ import annotations

import re
from importlib.resources import files

from sqlalchemy import Engine, text

PAGE = files("relayscope.storage").joinpath("VIEWS.md").read_text("utf-8")
VIEWS, FUNCTIONS = PAGE.split("## Views")[1].split("## Behind them")[0].split("## Functions")

NEVER_NULL = (
    "select attname from pg_attribute where attname = 'resource_id' and attnotnull and attrelid"
)


def sections(part: str) -> dict[str, list[tuple[str, str]]]:
    """Return the described views and functions, with the names and types of their columns."""
    found = {}
    for section in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
        title, _, rest = section.partition("\n")
        rows = re.findall(r"^\| (\w+) \| ([\w\[\] ]+) \|", rest, re.MULTILINE)
        found[title] = [row for row in rows if row != ("column", "type")]
    return found


def test_every_view_has_the_columns_that_are_documented(engine: Engine) -> None:
    """In their order, with their types; and no view is left out."""
    columns: dict[str, list[tuple[str, str]]] = {}
    with engine.connect() as connection:
        for view, name, kind in connection.execute(
            text(
                "select relname, attname, format_type(atttypid, null) from pg_attribute"
                " join pg_class on pg_class.oid = attrelid"
                " where relnamespace = 'relayscope'::regnamespace and attnum > 0"
                " order by relname, attnum"
            )
        ):
            columns.setdefault(view, []).append((name, kind))
    documented = sections(VIEWS)
    # Said in words: the columns of another.
    documented["odd_messages"] = documented["messages"]
    documented["other_logs"] = documented["logs"]
    assert documented == columns


def test_every_function_is_as_documented(engine: Engine) -> None:
    """Its parameters in their order, and what it returns."""
    with engine.connect() as connection:
        found = {
            f"{name}({arguments})": result
            for name, arguments, result in connection.execute(
                text(
                    "select proname, pg_get_function_identity_arguments(oid), coalesce(("
                    # A row type that several functions share counts as its columns.
                    "  select 'TABLE(' || string_agg("
                    "   attname || ' ' || format_type(atttypid, null), ', ' order by attnum) || ')'"
                    "  from pg_attribute"
                    "  where attrelid = ("
                    "    select typrelid from pg_type where pg_type.oid = prorettype"
                    "    and typnamespace = 'relayscope_store'::regnamespace)"
                    "), pg_get_function_result(oid))"
                    " from pg_proc where pronamespace = 'relayscope'::regnamespace"
                )
            )
        }
    documented = sections(FUNCTIONS)
    assert set(documented) == {title.replace('"', "") for title in found}
    views = sections(VIEWS)
    for title, columns in documented.items():
        name = title.partition("(")[0]
        result = found[title].replace('"', "")
        if result.startswith("TABLE"):
            expected = columns or views[name]
            assert result == f"TABLE({', '.join(f'{name} {kind}' for name, kind in expected)})"
        else:
            assert (result, columns) == ("SETOF logs", [])


def test_nothing_stands_in_the_way_of_distributing_the_records(engine: Engine) -> None:
    """Tables of records have no foreign key, sequence or unique key, and a value never null."""
    for table in ("span", "log", "metric_point"):
        for question, answer in (
            ("select conname from pg_constraint where contype in ('f', 'u', 'p') and conrelid", []),
            ("select adnum from pg_attrdef where adrelid", []),
            ("select indexrelid from pg_index where indisunique and indrelid", []),
            (NEVER_NULL, ["resource_id"]),
        ):
            with engine.connect() as connection:
                found = connection.scalars(
                    text(f"{question} = cast(:table as regclass)"),
                    {"table": f"relayscope_store.{table}"},
                )
                assert found.all() == answer
