"""Contents of the collector's own log."""

import json
import logging
import sys

import pytest

from relayscope.collector.internal_telemetry import json_log as log


def test_the_log_holds_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """A library's line with a URL or a header passes the sanitizer; the rest stays as it is."""
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        log.configure()
        root.handlers[0].setStream(sys.stderr)  # type: ignore[attr-defined]  # it is a StreamHandler
        logging.getLogger("test").warning(
            "cannot reach postgresql://user:s3cretpw@db/relayscope",
            extra={"reason": "Authorization: Bearer s3crettoken12345", "port": 4317},
        )
    finally:
        root.handlers, root.level = before
        logging.captureWarnings(capture=False)

    line = capsys.readouterr().err
    assert "s3cret" not in line
    said = json.loads(line)
    assert said["event"].startswith("cannot reach postgresql://user:")
    assert said["port"] == 4317
    assert said["level"] == "warning"
