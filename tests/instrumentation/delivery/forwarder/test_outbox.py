"""The request that is being sent is kept for a forwarder that comes after this one's death."""

import resource
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.delivery.encoding.otlp import Request, Signal
from relayscope.instrumentation.delivery.forwarder.delivery_totals import DeliveryTotals
from relayscope.instrumentation.delivery.forwarder.outbox import Consignment, Outbox
from relayscope.spool import Position


def _consignment(number: int, body: bytes = b"body") -> Consignment:
    requests = [Request(signal, number, body) for signal in (Signal.TRACES, Signal.LOGS)]
    return Consignment(
        Position(number, 10 * number), DeliveryTotals(emitted=number), requests, untold=True
    )


@given(sizes=st.lists(st.integers(0, 600_000), min_size=1, max_size=6))
def test_what_was_saved_last_is_loaded(
    sizes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """After requests of all sizes, smaller ones after larger ones; also by the next forwarder."""
    folder = tmp_path_factory.mktemp("spool")
    for number, size in enumerate(sizes):
        # Each save has an outbox of its own, as after a kill.
        outbox = Outbox(folder)
        outbox.load()
        outbox.save(_consignment(number, b"x" * size))
    assert Outbox(folder).load() == _consignment(len(sizes) - 1, b"x" * sizes[-1])


def test_what_an_earlier_forwarder_kept_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did not count accounts; the requests are sent all the same after an upgrade."""
    pack = msgpack.packb
    monkeypatch.setattr(msgpack, "packb", lambda fields: pack(fields[:-1]))
    Outbox(tmp_path).save(_consignment(1))
    monkeypatch.undo()

    assert Outbox(tmp_path).load() == _consignment(1)


def test_a_save_cut_off_at_any_byte_leaves_what_was_saved_before(tmp_path: Path) -> None:
    """A forwarder may be killed while it writes; the file then holds old bytes after the new."""
    outbox = Outbox(tmp_path)
    files: list[dict[Path, bytes]] = []
    for number in range(1, 4):
        outbox.save(_consignment(number))
        files.append({path: path.read_bytes() for path in tmp_path.iterdir()})
    (written,) = [path for path in files[2] if files[2][path] != files[1].get(path)]
    old, new = files[1][written], files[2][written]
    differing = [at for at in range(len(new)) if new[:at] + old[at:] != new]
    assert len(differing) > 10
    for at in differing:
        written.write_bytes(new[:at] + old[at:])
        assert Outbox(tmp_path).load() == _consignment(2)
    written.write_bytes(new)
    assert Outbox(tmp_path).load() == _consignment(3)


def test_a_save_that_the_disk_refuses_leaves_nothing_older(tmp_path: Path) -> None:
    """Older requests, which may have been split since, would be sent a second time."""
    outbox = Outbox(tmp_path)
    outbox.save(_consignment(1))
    outbox.save(_consignment(2))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        outbox.save(_consignment(3, b"x" * 2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert Outbox(tmp_path).load() is None
    outbox.save(_consignment(4))
    assert Outbox(tmp_path).load() == _consignment(4)


def test_a_large_request_does_not_take_the_disk_for_ever(tmp_path: Path) -> None:
    """Its file is as large as the next ones need."""
    outbox = Outbox(tmp_path)
    for size in (2_000_000, 2_000_000, 10, 10):
        outbox.save(_consignment(1, b"x" * size))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1000
