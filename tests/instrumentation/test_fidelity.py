"""Promises about what is stored: it is what crossed the wire. `make fidelity` does more rounds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.fidelity.fidelity import collecting, forget
from tests.fidelity.field import Field
from tests.fidelity.relays import RELAYS
from tests.fidelity.traffic import SECRET

ROUNDS = 12
SEED = 20261125


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Engine]]:
    """A collector's endpoint, and an engine for its database."""
    with collecting(tmp_path_factory.mktemp("collecting")) as collected:
        yield collected


@pytest.fixture
def field(collected: tuple[str, Engine], tmp_path: Path) -> Field:
    """Where a relay is driven, with an empty database."""
    endpoint, engine = collected
    forget(engine)
    return Field(tmp_path, endpoint, engine)


@pytest.mark.parametrize("name", RELAYS)
def test_the_database_holds_what_crossed_the_wire(name: str, field: Field) -> None:
    """Every message once, with its text, its answer's request, and its cause."""
    verdict = field.run(RELAYS[name], ROUNDS, SEED)

    assert verdict.wrong == []
    assert verdict.is_good


def test_secrets_are_all_that_is_missing(field: Field) -> None:
    """With secrets in the traffic, the sanitizer's is the only change."""
    verdict = field.run(RELAYS["threads and queues, stdio to stdio"], ROUNDS, SEED, secrets=True)

    assert verdict.wrong == []
    assert verdict.is_good


def test_a_secret_that_is_stored_is_noticed(field: Field) -> None:
    """The harness can fail: one row with a planted secret is one too many."""
    relay = RELAYS["websocket relay of the demo, stdio to websocket"]
    field.run(relay, ROUNDS, SEED, secrets=True)
    with field.engine.begin() as connection:
        connection.execute(
            text(
                "update relayscope_store.log set severity_text = :secret where ctid in"
                " (select ctid from relayscope_store.log limit 1)"
            ),
            {"secret": SECRET},
        )
    verdict = field.judge(relay, secrets=True)

    assert verdict.leaked == 1
    assert not verdict.is_good


def test_a_message_that_is_not_recorded_is_noticed(field: Field) -> None:
    """The harness can fail: a record that is missing or changed is neither recalled nor precise."""
    relay = RELAYS["websocket relay of the demo, stdio to websocket"]
    field.run(relay, ROUNDS, SEED)
    with field.engine.begin() as connection:
        connection.execute(
            text(
                "delete from relayscope_store.log where ctid in"
                " (select ctid from relayscope_store.log where event_name = 'mcp.message' limit 1)"
            )
        )
    verdict = field.judge(relay)

    assert verdict.recall.right == verdict.recall.total - 1
    assert not verdict.is_good
