"""Promises about what is stored: it is what crossed the wire. `make fidelity` does more rounds."""

from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.fidelity.binary import marked
from tests.fidelity.fidelity import collecting, forget
from tests.fidelity.field import Field
from tests.fidelity.relays import RELAYS
from tests.fidelity.traffic import SECRET

ROUNDS = 12
FEW_ROUNDS = 4
"""The number of rounds where the harness is tried, and not the relay."""
SEED = 20261125


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Engine]]:
    """A collector's endpoint, and an engine for its database."""
    with collecting(tmp_path_factory.mktemp("collecting")) as collected:
        yield collected


@pytest.fixture
def field(collected: tuple[str, Engine], tmp_path: Path) -> Field:
    """Place in which a relay is driven, with an empty database."""
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
    field.run(relay, FEW_ROUNDS, SEED, secrets=True)
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


def test_what_is_changed_or_not_recorded_is_noticed(field: Field) -> None:
    """The harness can fail: a marker of another image is no recall, nor is a missing record."""
    relay = RELAYS["websocket relay of the demo, stdio to websocket"]
    field.run(relay, ROUNDS, SEED)
    marked_up = [body for body in bodies(field) if "[BINARY:" in body]
    assert marked_up
    assert field.judge(relay).is_good

    other = {body: body.replace("[BINARY:", "[BINARY:x") for body in marked_up}
    store(field, other)
    assert not field.judge(relay).is_good
    store(field, {new: old for old, new in other.items()})
    assert field.judge(relay).is_good

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


IMAGE = "iVBORw0KGgoAAAANSUhEUg=="


@pytest.mark.parametrize(
    "content",
    [
        '{"type": "image", "data": "<>", "mimeType": "image/png"}',
        '{"type": "resource", "resource": {"uri": "a:b", "mimeType": "image/png", "blob": "<>"}}',
        '{"type": "text", "text": "![plot](data:image/png;base64,<>)"}',
    ],
)
def test_a_marker_of_binary_content_is_computed_from_the_wire(content: str) -> None:
    """The harness knows what the marker of an image has to be, wherever MCP carries one."""
    message = f'{{"jsonrpc": "2.0", "id": 1, "result": {{"content": [{content}]}}}}'
    marker = f"[BINARY:image/png:16:{sha256(b64decode(IMAGE)).hexdigest()[:16]}]"

    assert marked(message.replace("<>", IMAGE)) == message.replace("<>", marker)


def bodies(field: Field) -> list[str]:
    """The texts of all messages."""
    with field.engine.connect() as connection:
        return list(
            connection.execute(
                text("select body from logs where event_name = 'mcp.message'")
            ).scalars()
        )


def store(field: Field, changed: dict[str, str]) -> None:
    """Put others in place of these bodies."""
    with field.engine.begin() as connection:
        for old, new in changed.items():
            connection.execute(
                text("update relayscope_store.log set body = :new where body = :old"),
                {"old": old, "new": new},
            )
