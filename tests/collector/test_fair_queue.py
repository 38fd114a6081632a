"""R12, R26: requests that are decoded take turns by sender, and long ones are finished."""

from __future__ import annotations

from relayscope.collector.ingest.decoder.fair_queue import FairQueue


def test_turns_go_to_who_has_had_the_least() -> None:
    """R26: many requests of one sender do not outnumber another's, and absence is no credit."""
    turns: FairQueue[str] = FairQueue(2)
    for number in range(50):
        turns.add("many", f"many {number}")
    for _ in range(10):
        turns.had(turns.take(), 1, over=True)
    turns.add("few", "few 0")
    turns.add("few", "few 1")
    taken = []
    for _ in range(6):
        turn = turns.take()
        taken.append(turn.sender)
        turns.had(turn, 1, over=True)
    assert sorted(taken[:4]) == ["few", "few", "many", "many"]
    assert taken[4:] == ["many", "many"]


def test_long_requests_are_finished_one_after_another() -> None:
    """R12: twelve that begin together are not late together, and what is short still goes first."""
    turns: FairQueue[int] = FairQueue(2)
    for number in range(12):
        turns.add(f"sender {number}", 30)
    finished = []
    for step in range(1, 363):
        if step == 200:
            turns.add("neighbour", 2)
        turn = turns.take()
        over = turn.seconds * 100 + 1.5 > turn.work
        turns.had(turn, 0.01, over=over)
        if over:
            finished.append((turn.sender, step))
    assert not turns
    assert [step for _, step in finished][5] < 3 / 4 * 360
    assert dict(finished)["neighbour"] < 200 + 5
