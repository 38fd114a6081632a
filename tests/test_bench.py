"""The benchmarks that are too long for every day run small, so that they still run."""

import subprocess
import sys
from pathlib import Path


def test_questions_are_asked_and_records_sealed() -> None:
    """`make bench-query` prints all of its table."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_query", "7000", "5"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
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
