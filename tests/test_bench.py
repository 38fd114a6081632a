"""The benchmarks that are too long for every day run small, so that they still run."""

import subprocess
import sys
from pathlib import Path

import pytest

from relayscope.sanitizer import Sanitizer
from tests.bench.bench_ingest_dirty import bodies
from tests.bench.load import ITEMS


def run(module: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a benchmark, and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", *options],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )


def test_questions_are_asked_and_records_sealed() -> None:
    """`make bench-query` prints all of its table."""
    result = run("bench_query", "7000", "5")
    assert result.returncode == 0, result.stderr
    for expected in (
        "log, sealed",
        "span, sealed",
        "trace by id",
        "text, absent",
        "service_calls",
        "dropping a day",
    ):
        assert expected in result.stdout


def test_each_kind_of_text_is_sanitized_and_judged() -> None:
    """`make bench-sanitizer` prints all kinds, clean and with a secret, and its verdict."""
    result = run("bench_sanitizer", "--sizes", "0.3", "--seconds", "0.001")
    assert not result.stderr
    for expected in ("image in a data: URI", "tools/list", "worst"):
        assert result.stdout.count(f"\n{expected} ") == 2
    assert result.returncode == ("missed:" in result.stdout)


def test_the_worst_text_can_be_measured_again(tmp_path: Path) -> None:
    """`make bench-sanitizer-worst` prints the worst text in a form that it takes back."""
    found = run("bench_sanitizer_worst", "--seconds", "1")
    assert not found.stderr
    file = tmp_path / "worst.json"
    file.write_text(found.stdout.rpartition("with this in it: ")[2])
    again = run("bench_sanitizer_worst", "--text", str(file))
    assert not again.stderr
    begin = "30,000 B begin with "
    assert again.stdout.partition(begin)[2] == found.stdout.partition(begin)[2]


def test_each_content_is_relayed_and_judged() -> None:
    """`make bench-overhead` prints images, source and rows, and what misses its budget."""
    result = run("bench_contents", "--calls", "1", "--turns", "1")
    assert not result.stderr
    for expected in ("image of 100 kB", "image of 1 MB", "source file", "rows of 40 kB"):
        assert f"\n{expected}" in result.stdout
    assert result.returncode == ("missed:" in result.stdout)


@pytest.mark.parametrize(("share", "dirty"), [(0.0, 0), (0.1, 51), (1.0, ITEMS)])
def test_as_many_records_are_dirty_as_asked(share: float, dirty: int) -> None:
    """`make bench-ingest` measures with the share of dirty records that it prints."""
    sanitizer = Sanitizer.default()
    made = bodies(share)
    assert len(set(made)) == ITEMS
    assert sum(sanitizer.text(body) != body for body in made) == dirty
