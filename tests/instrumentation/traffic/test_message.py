"""Promises about reading JSON-RPC messages."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.traffic.message import Kind, Message

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "kind", "identifier"),
    [
        ('{"jsonrpc":"2.0","id":1,"method":"ping"}', Kind.REQUEST, 1),
        ('{"id":"a","method":"ping"}', Kind.REQUEST, "a"),
        ('{"jsonrpc":"2.0","method":"notifications/initialized"}', Kind.NOTIFICATION, None),
        ('{"jsonrpc":"2.0","id":null,"method":"ping"}', Kind.NOTIFICATION, None),
        ('{"jsonrpc":"2.0","id":0,"result":{}}', Kind.RESULT, 0),
        ('{"jsonrpc":"2.0","id":0,"result":{},"error":null}', Kind.RESULT, 0),
        ('{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}', Kind.ERROR, 1),
        ('{"jsonrpc":"2.0","error":{"code":-32603,"message":"no"}}', Kind.ERROR, None),
        ('{"jsonrpc":"2.0","id":true,"result":1}', Kind.RESULT, None),
        ("[]", Kind.UNPARSABLE, None),
        ('["a", {"b": 1}]', Kind.UNPARSABLE, None),
        ("{}", Kind.UNPARSABLE, None),
        ("not json", Kind.UNPARSABLE, None),
        ("", Kind.UNPARSABLE, None),
        (b"\xff\xfe", Kind.UNPARSABLE, None),
        ("[" * 100_000, Kind.UNPARSABLE, None),
    ],
)
def test_messages_are_classified_as_tolerantly_as_peers_write_them(
    text: str | bytes, kind: Kind, identifier: Any
) -> None:
    """A message's kind and id are read even where the peer leaves out what JSON-RPC demands."""
    message = Message.of_text(text)

    assert (message.kind, message.id) == (kind, identifier)


@given(st.text() | st.binary())
def test_no_text_makes_reading_raise(text: str | bytes) -> None:
    """Any text is read as a message."""
    assert Message.of_text(text).kind in Kind


@given(
    st.dictionaries(
        st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]), json_values
    )
)
def test_no_json_makes_reading_raise(data: dict[str, Any]) -> None:
    """Members of any type are read without an error, and what reads them finds usable types."""
    message = Message.of_text(json.dumps(data))

    assert isinstance(message.method, str)
    assert message.meta is not None
    assert message.error_code is None or isinstance(message.error_code, int)


@pytest.mark.parametrize(
    ("params", "takes"),
    [
        ("", True),
        (',"params":{}', True),
        (',"params":{"_meta":{}}', True),
        (',"params":{"_meta":"text"}', False),
        (',"params":[1]', False),
    ],
)
def test_only_object_params_take_meta(params: str, takes: bool) -> None:  # noqa: FBT001  # a column of the table
    """Context is carried only where setting `_meta` leaves the message's meaning alone."""
    message = Message.of_text(f'{{"id":1,"method":"tools/list"{params}}}')

    assert message.takes_meta is takes
