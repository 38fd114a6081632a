"""A host that closes every descriptor that it does not know, as daemons do."""

import sys
from pathlib import Path

from relayscope.conventions.attributes import DELIVERY_DROPPED, DELIVERY_EMITTED, DELIVERY_ENDED
from relayscope.spool import list_slots
from tests.fix_delivery import Receiver
from tests.fix_programs import eventually, host_environment, instrumented, run

DAEMON = """
import json, os, sys, tempfile
def say(number):
    print(json.dumps({"jsonrpc": "2.0", "method": "notifications/x", "params": {"n": number}}),
          flush=True)
say(0)
os.closerange(3, 256)
say(1)
os.closerange(3, 256)
files = [tempfile.TemporaryFile(buffering=0) for _ in range(12)]
for number in range(2, 7):
    say(number)
sys.stderr.write(str([file.seek(0, 2) for file in files if file.seek(0, 2)]))
"""

WITHOUT_STREAMS = """
import logging, os, sys
for descriptor in (0, 1, 2):
    os.close(descriptor)
logging.basicConfig(filename=os.devnull, level="INFO")
for number in range(20):
    logging.info("record %d", number)
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"what nobody has sanitized")
        except OSError:
            pass
os._exit(0)
"""


def test_what_a_host_without_streams_prints_is_not_in_our_files(
    spool_dir: Path,
) -> None:
    """A daemon has closed stdin, stdout and stderr, whose numbers the system gives to others."""
    nobody = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")

    run(instrumented("host", [sys.executable, "-c", WITHOUT_STREAMS]), nobody)

    files = [path for path in spool_dir.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"nobody has sanitized" in path.read_bytes()]


def test_a_host_that_closes_our_descriptors_gets_nothing_of_ours(
    receiver: Receiver, spool_dir: Path
) -> None:
    """Its own files stay as they are, every message arrives, and the account is complete."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    finished = run(instrumented("host", [sys.executable, "-c", DAEMON]), environment)

    assert (finished.returncode, finished.stderr) == (0, "[]")
    assert len(finished.stdout.splitlines()) == 7
    eventually(receiver.has_ended)
    eventually(lambda: not list_slots(spool_dir / "host"))
    emitted = receiver.accounts()[-1][DELIVERY_EMITTED]
    assert sorted(receiver.numbers()) == [*range(1, emitted + 1)]
    assert all(not account[DELIVERY_DROPPED] for account in receiver.accounts())
    assert [account.get(DELIVERY_ENDED, False) for account in receiver.accounts()].count(True) == 1
