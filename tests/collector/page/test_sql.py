"""The page's SQL: questions that are ready, statements of one's own, results to take away."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from relayscope.collector.page.curves import HEIGHT, WIDTH, curves
from relayscope.collector.page.questions import questions
from relayscope.collector.page.sql_result import Rows, plot
from relayscope.collector.page.sql_result import csv as csv_lines
from relayscope.collector.query.statement import Column
from tests.collector.page.conftest import MARKUP, violations
from tests.fix_collector import Collector
from tests.fix_page import OpenPage

GUIDE = Path(__file__).parents[3] / "docs/sql.md"
TEXT, NUMBER, TIME = 25, 20, 1184


@pytest.fixture(autouse=True)
def _is_stored(stored: Collector) -> None:
    """All of these ask about the sample traces."""


def test_the_questions_of_the_readme_are_ready_to_run() -> None:
    """Word for word, so that what is read there is found here."""
    written = GUIDE.read_text("utf-8")
    documented = re.findall(r'^relayscope sql "\n(.*?)"$', written, re.DOTALL | re.MULTILINE)
    asked = {" ".join(question.statement.split()) for question in questions()}
    assert len(documented) > 5
    assert {" ".join(one.replace('\\"', '"').split()) for one in documented} <= asked


def test_every_question_is_answered(client: httpx.Client) -> None:
    """All that are offered run."""
    for question in questions():
        reply = client.get("/sql.json", params={"sql": question.statement})
        assert reply.status_code == 200, (question.title, reply.text)


def test_a_question_is_run_by_a_click_and_is_in_the_address(open_page: OpenPage) -> None:
    """Its result has a plot where it has a time, and a link shows the same."""
    page = open_page("/sql")
    page.get_by_role("link", name="How many calls there were in each minute").click()
    expect(page.get_by_role("textbox")).to_have_value(re.compile("date_bin"))
    expect(page.get_by_role("img", name=re.compile("Over time: .*ok"))).to_be_visible()
    expect(page.locator(".result tbody tr")).not_to_have_count(0)
    page.wait_for_load_state()
    assert (
        open_page(page.url).locator(".result").inner_text() == page.locator(".result").inner_text()
    )
    assert violations(page) == []


def test_a_statement_is_written_and_run_by_keyboard(open_page: OpenPage) -> None:
    """Ctrl and Enter run it; what PostgreSQL says of a wrong one is shown beside it."""
    page = open_page("/sql")
    page.get_by_role("textbox").focus()
    page.keyboard.type("select 1 as one, null as nothing, 'a' as text")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result tbody tr")).to_have_text(re.compile(r"1\s*∅\s*a"))
    page.get_by_role("textbox").fill("select wrong")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text('column "wrong" does not exist')
    assert violations(page) == []


def test_a_result_that_is_markup_is_text(open_page: OpenPage) -> None:
    """In cells, in names of columns, and in the statement itself."""
    quoted = MARKUP.replace("'", "''")
    named = MARKUP.replace('"', '""')[:30]
    asked = httpx.QueryParams({"sql": f"select '{quoted}' as \"{named}\""})
    page = open_page(f"/sql?{asked}")
    expect(page.locator(".result tbody td")).to_contain_text("<script>alert(1)</script>")
    expect(page.locator(".result th")).to_contain_text("<script>alert(1)</script>")


@pytest.mark.parametrize(
    "statement",
    [
        "delete from relayscope.logs",
        "copy (select 1) to program 'true'",
        "select 1; select 2",
        "select pg_read_file('/etc/passwd')",
        "create temporary table t ()",
        "select * from relayscope_store.log",
    ],
)
def test_a_statement_can_only_read_what_readers_may(client: httpx.Client, statement: str) -> None:
    """Every other statement is refused, with PostgreSQL's words."""
    reply = client.get("/sql.json", params={"sql": statement})
    assert reply.status_code == 400
    assert reply.text


def test_another_sites_link_is_shown_and_not_run(client: httpx.Client) -> None:
    """Nobody makes a browser ask PostgreSQL by having it follow a link."""
    followed = {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    asked = {"sql": "select 6 * 7 as answer"}
    shown = client.get("/sql", params=asked, headers=followed).text
    assert "Read it before you run it" in shown
    assert "42" not in shown
    assert client.get("/sql.csv", params=asked, headers=followed).status_code == 403
    assert client.get("/sql.csv", params=asked).text == '"answer"\r\n"42"\r\n'


def test_results_are_taken_away_as_csv_and_json(client: httpx.Client) -> None:
    """All rows, as files; CSV has no formulas, JSON has the forms of the command line."""
    asked = {"sql": "select '=1+1' as \"=a\", -5 as n, null as x from generate_series(1, 700)"}
    reply = client.get("/sql.csv", params=asked)
    assert reply.headers["content-disposition"] == 'attachment; filename="relayscope.csv"'
    rows = list(csv.reader(io.StringIO(reply.text)))
    assert rows == [["'=a", "n", "x"], *[["'=1+1", "-5", ""]] * 700]
    found = client.get("/sql.json", params=asked).json()
    assert found == [{"=a": "=1+1", "n": -5, "x": None}] * 700
    assert (
        "more than 100,000 rows"
        in client.get("/api/sql", params={"sql": "select generate_series(1, 100001)"}).text
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.text())
def test_no_text_of_csv_is_a_formula(texts: list[str], name: str) -> None:
    """It begins with no character that a spreadsheet takes for one, and is otherwise as it was."""
    found = Rows([Column(name, TEXT)], [(text,) for text in texts], has_more=False)
    written = "".join(f"{line}\r\n" for line in csv_lines(found))
    read = [row[0] if row else "" for row in csv.reader(io.StringIO(written, newline=""))]
    for cell, text in zip(read, [name, *texts], strict=True):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert cell in {text, f"'{text}"}


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them so
POINTS = st.lists(st.tuples(MOMENTS, st.floats(-1e300, 1e300, allow_nan=False)), max_size=20).map(
    sorted
)


def test_a_time_in_nanoseconds_is_no_curve() -> None:
    """It would flatten all others; other numbers are drawn, however large they are."""
    columns = [Column("time", TIME)] + [
        Column(name, NUMBER) for name in ("time_unix_nano", "bytes", "nothing")
    ]
    now = 1_796_040_000 * 10**9
    rows = [
        (f"2026-11-30 12:00:0{second}+00", str(now + second * 10**9), str(10**15), None)
        for second in range(3)
    ]
    drawn = plot(Rows(columns, rows, has_more=False))
    assert drawn is not None
    assert [curve.name for curve in drawn.curves] == ["bytes"]
    assert plot(Rows(columns[:2], [row[:2] for row in rows], has_more=False)) is None


@given(st.dictionaries(st.text(max_size=5), POINTS, max_size=12))
def test_every_point_of_a_plot_is_within_it(
    points: dict[str, list[tuple[datetime, float]]],
) -> None:
    """This holds for any values."""
    drawn = curves(points)
    given_names = {name for name, of_one in points.items() if of_one}
    if drawn is None:
        assert not given_names
        return
    assert len(drawn.curves) + drawn.left_out == len(given_names)
    for curve in drawn.curves:
        numbers = [float(one) for one in re.findall(r"-?[0-9.]+", curve.path)]
        assert all(0 <= x <= WIDTH for x in numbers[::2])
        assert all(0 <= y <= HEIGHT for y in numbers[1::2])
