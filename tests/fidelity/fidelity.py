"""The rounds behind `make fidelity`: what the database holds beside what crossed the wire.

usage: python -m tests.fidelity.fidelity [RELAY ...] [--rounds N] [--seed N] [--keep FOLDER]

Drives each relay with seeded random traffic, a tee on every leg. Prints a table: recall (messages
on the wire that are in the database with identical text or, beyond the cap, size and digest),
precision (records that were on the wire, once each), pairing (answers with the right request) and
parenting (spans with the right parent). Then the same again with secrets in the traffic, which must
be all that is missing. Ends with 1 unless all are 100 % and no secret is stored.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from relayscope.storage import EmbeddedServer, create_engine, migrate
from tests.fidelity.field import Field
from tests.fidelity.relays import RELAYS
from tests.fidelity.verdict import Verdict
from tests.fix_collector import Collector
from tests.fix_delivery import SPOOL_DIR

_SHOWN = 5
"""Wrong facts that are printed for each relay."""


@contextmanager
def collecting(folder: Path) -> Iterator[tuple[str, Engine]]:
    """Run a collector with a PostgreSQL of its own; yield its endpoint and an engine."""
    with EmbeddedServer.start(folder / "data") as server:
        engine = create_engine(server.url)
        migrate(engine)
        environment = {
            "RELAYSCOPE_DATABASE_URL": server.url,
            "RELAYSCOPE_DATA_DIR": str(folder / "collector"),
            "RELAYSCOPE_GRPC": "127.0.0.1:0",
            "RELAYSCOPE_HTTP": "127.0.0.1:0",
        }
        with Collector(environment=environment) as collector:
            collector.wait_until_ready()
            yield f"http://{collector.grpc}", engine
        engine.dispose()


def forget(engine: Engine) -> None:
    """Empty the database, for the next relay."""
    with engine.begin() as connection:
        connection.execute(text("truncate relayscope_store.log, relayscope_store.span"))


def main() -> None:
    """Drive relays for as many rounds as asked, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("relay", nargs="*", choices=[*RELAYS, []], default=[])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    # It ends relays, who would inherit from a shell that it is ignored in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"seed {options.seed}")
    print(f"{'relay':<50} {'messages':>8} {'recall':>8} {'precision':>9} ", end="")
    print(f"{'pairing':>8} {'parenting':>9}")
    good = True
    with tempfile.TemporaryDirectory(prefix="relayscope-") as temporary:
        home = options.keep or Path(temporary)
        # What another run has left in the user's own spool would be taken for this one's.
        os.environ.setdefault(SPOOL_DIR, str(home / "spool"))
        with collecting(home) as (endpoint, engine):
            for name in options.relay or RELAYS:
                for secrets in (False, True):
                    forget(engine)
                    title = "  with secrets" if secrets else name
                    folder = home / f"{name}{title if secrets else ''}".replace(" ", "-")
                    field = Field(folder, endpoint, engine)
                    verdict = field.run(RELAYS[name], options.rounds, options.seed, secrets=secrets)
                    show(title, verdict)
                    good &= verdict.is_good
    sys.exit(0 if good else 1)


def show(title: str, verdict: Verdict) -> None:
    """Print a line of the table, and what is wrong."""
    print(
        f"{title:<50} "
        f"{verdict.recall.total:>8} {verdict.recall!s:>8} {verdict.precision!s:>9} "
        f"{verdict.pairing!s:>8} {verdict.parenting!s:>9}",
        flush=True,
    )
    if verdict.leaked:
        print(f"    {verdict.leaked} rows hold a secret")
    for wrong in verdict.wrong[:_SHOWN]:
        print(f"    {wrong[:400]}")


if __name__ == "__main__":
    main()
