"""Promises about the file of a response: it does what it would, and each byte is heard once."""

import io
import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.hooks.pipes.watched_file import WatchedFile
from tests.instrumentation.hooks.pipes.watched_files import (
    OF_ANY,
    READS,
    Step,
    close,
    compare,
    patiently,
)

DATA = st.binary(max_size=40) | st.sampled_from([b"one\ntwo\r\n\nthree", b"x" * 9000])


class Listener:
    """The ear at a file.

    Attributes:
        heard: The pieces that were read.
        closed: The number of times at which it was told that no more will come.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.closed = 0

    def close(self) -> None:
        """Count an end."""
        self.closed += 1


def opened(data: bytes, listener: Listener) -> tuple[Any, Any]:
    """Open two pipes with the same in them, of which the second is watched."""
    files: list[io.BufferedReader] = []
    for _ in range(2):
        end, other = os.pipe()
        os.write(other, data)
        os.close(other)
        files.append(os.fdopen(end, "rb"))
    return files[0], WatchedFile(files[1], listener.heard.append, listener.close)


@patiently
@given(DATA, st.lists(READS | OF_ANY))
def test_a_watched_response_is_read_as_one_that_is_not(data: bytes, steps: list[Step]) -> None:
    """Values, their types, and errors are the same, and its end is told."""
    listener = Listener()

    compare(opened(data, listener), steps)

    assert listener.closed


@patiently
@given(DATA, st.lists(READS))
def test_what_was_read_of_a_response_is_heard_and_its_end_comes_last(
    data: bytes, steps: list[Step]
) -> None:
    """Reading no byte, where more is to come, is no end."""
    listener = Listener()
    files = opened(data, listener)

    compare(files, [*steps, ("read", ()), ("read", ())])

    assert b"".join(listener.heard) == data
    assert b"" in listener.heard
    assert not any(listener.heard[listener.heard.index(b"") :])


def test_who_leaves_a_response_has_closed_it() -> None:
    """`with` hands out the watched file, and its end is told as it is left."""
    listener = Listener()
    files = opened(b"all of it", listener)

    with files[1] as file:
        assert file.read() == b"all of it"
        ends_inside = listener.closed

    assert listener.heard == [b"all of it"]
    assert (ends_inside, listener.closed) == (0, 1)
    close(*files)
