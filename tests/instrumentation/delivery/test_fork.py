"""Forked processes: each has a spool, an identity and numbers of its own, and nothing is lost."""

import pytest

from relayscope.conventions.attributes import DELIVERY_SEQUENCE
from tests.fix_delivery import Receiver, value
from tests.fix_programs import eventually, host_environment, instrumented, python, run


@pytest.mark.parametrize(("then", "processes", "emitters"), [("fork", 4, 6), ("pool", 3, 5)])
def test_what_forked_children_emit_arrives_once(
    receiver: Receiver, then: str, processes: int, emitters: int
) -> None:
    """os.fork and multiprocessing: parent and children all deliver, numbered each for itself."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    finished = run(instrumented("host", python("emitter.py", "30", "--then", then)), environment)

    assert finished.returncode == 0, finished.stderr
    marks = finished.stdout.split()
    assert len(marks) == 33 * emitters
    eventually(lambda: set(receiver.marks()) == set(marks))
    assert max(receiver.marks().values()) == 1
    by_process = receiver.by_process()
    # A pool may give all its work to one of its processes.
    assert 1 < len(by_process) <= processes
    for records in by_process.values():
        numbers = sorted(
            value(record)[DELIVERY_SEQUENCE]
            for record in records
            if DELIVERY_SEQUENCE in value(record)
        )
        assert numbers == list(range(1, len(numbers) + 1))
