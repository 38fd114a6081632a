"""A torn record at the end of a spool is counted, also when nothing can be written any more."""

import os
from contextlib import suppress
from pathlib import Path

from relayscope.conventions.attributes import DELIVERY_DROPPED
from relayscope.spool import list_slots
from tests.fix_delivery import Receiver, end_forwarders
from tests.fix_programs import SCRIPTS, host_environment, instrumented, python, run
from tests.soak.full import small_disk


def test_a_torn_record_on_a_full_disk_holds_nothing_up(receiver: Receiver, tmp_path: Path) -> None:
    """All others arrive, the torn one is counted, and the spool goes.

    Only root may mount a small disk; for others the disk has room, and the outcome is the same.
    """
    with small_disk(tmp_path) as mounted:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", RELAYSCOPE_SPOOL_DIR=str(tmp_path)
        )
        host = instrumented("host", python("emitter.py", "20", "--then", "kill"))
        marks = run(host, environment).stdout.split()
        end_forwarders(tmp_path)
        (segment,) = tmp_path.glob("*/*/*.segment")
        os.truncate(segment, segment.stat().st_size - 3)
        if mounted:
            with (tmp_path / "filler").open("wb", buffering=0) as filler, suppress(OSError):
                while filler.write(b"x" * 512):
                    pass

        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        finished = run(
            [str(SCRIPTS / "relayscope-instrument"), "--flush", "--redirect", "127.0.0.1:1"],
            environment,
        )

        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert list_slots(tmp_path / "host") == []
    assert receiver.marks().keys() == set(marks[:-1])
    assert receiver.accounts()[-1][DELIVERY_DROPPED] == {"torn": 1}
