"""A forwarder asks for levels where it can; where it cannot, it sends records all the same."""

import logging
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from relayscope.conventions.environment import RELAYSCOPE_OPAMP_ENDPOINT
from relayscope.instrumentation.remote.asking import asking_for_levels

POLLING = "relayscope.instrumentation.remote.polling"


@pytest.mark.parametrize("chosen", ["http://127.0.0.1:1", "here", "none"])
def test_who_cannot_ask_for_levels_says_so_and_goes_on(
    chosen: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The library is missing, the variable is wrong, or the user does not want it."""
    monkeypatch.setenv(RELAYSCOPE_OPAMP_ENDPOINT, chosen)
    monkeypatch.setitem(sys.modules, POLLING, None)

    with caplog.at_level(logging.WARNING):
        assert isinstance(asking_for_levels(tmp_path, "there", dict), nullcontext)
    assert ("not asked for" in caplog.text) is (chosen != "none")
