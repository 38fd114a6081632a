"""Summary of a message: its text without the envelope."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.text.message_summary import gist

# Without the member that is left out.
KEYS = st.text().filter(lambda key: key != "_meta")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id":1,"method":"tools/list"}', ""),
        ('{"id":1,"method":"x","params":{"a" : 1.50}}', '{"a" : 1.50}'),
        ('{"method":"x","params":{"_meta":{"traceparent":"00"},"a":1}}', '{"a":1}'),
        ('{"params":{"a":1, "_meta":{}, "b":2}, "method":"x"}', '{"a":1, "b":2}'),
        ('{"params":{"a":1, "_meta":{}}, "method":"x"}', '{"a":1}'),
        ('{"params":{"_meta":{"traceparent":"00-4b', ""),
        ('{"params":{"_meta":{}},"method":"tools/list"}', ""),
        ('{"params":{},"method":"x"}', "{}"),
        ('{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}', '{"tools":[]}'),
        ('{"error":{"code":-1,"message":"no \\"x\\""},"id":null}', 'no "x"'),
        ('{"error":{"code":-1,"message":"no","data":1}}', '{"code":-1,"message":"no","data":1}'),
        ('{"error":{"code":-1,"message":"n', '{"code":-1,"message":"n'),
        ('{"result":{"content":[{"type":"text","text":"a\\"b"}]}}', 'text a"b'),
        ('{"result":{"content":[{"text":"no"}],"isError":true}}', "isError text no"),
        ('{"result":{"content":[{"text":"a"},{"text":"b"}]}}', None),
        ('{"result":{"content":[{"text":"a"', '{"content":[{"text":"a"'),
        ('{"result":{"content":{"text":"a"}}}', '{"content":{"text":"a"}}'),
        ("plain text", "plain text"),
        ("", ""),
        ("[1]", "[1]"),
        ('{"params', '{"params'),
        ('{"params":' + "[" * 100_000, "[" * 100_000),
    ],
)
def test_is_what_the_method_and_id_do_not_say(text: str, expected: str | None) -> None:
    """The parameters, the result or the error; whatever else it is, all of it."""
    if expected is None:
        expected = text.removeprefix('{"result":').removesuffix("}")
    assert gist(text) == expected


@given(JSON, st.booleans(), st.sampled_from([None, 0, 2]))
def test_is_the_messages_own_text(params: object, ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001 - a drawn value
    """Parameters are shown exactly as they were written, however that was."""
    text = json.dumps({"a": 1, "params": params}, ensure_ascii=ascii_only, indent=indent)
    assert json.loads(gist(text)) == params
    assert gist(text) in text


@given(JSON, st.data())
def test_reads_json_that_breaks_off_anywhere(message: object, data: st.DataObject) -> None:
    """A text that was cut is shown as far as it goes, and never fails."""
    text = json.dumps({"id": 1, "method": "x", "params": message})
    assert isinstance(gist(text[: data.draw(st.integers(0, len(text)))]), str)
