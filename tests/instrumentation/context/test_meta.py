"""Promises about splicing trace context into a message."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.context.meta import spliced

CARRIER = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
requests = st.fixed_dictionaries(
    {"method": st.text()},
    optional={
        "id": st.integers() | st.text(),
        "params": st.dictionaries(st.text(), json_values)
        | st.fixed_dictionaries({"_meta": st.dictionaries(st.text(), json_values)})
        | st.fixed_dictionaries({"_meta": st.just({"traceparent": "old", "a": 1})}),
    },
)
spellings = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 2]),
        "separators": st.sampled_from([None, (",", ":"), (" , ", " : ")]),
    }
)


@given(requests, spellings)
def test_splicing_sets_the_context_and_nothing_else(
    request: dict[str, Any], spelling: dict[str, Any]
) -> None:
    """The spliced text says what the message said, plus the carrier's entries in `_meta`."""
    text = json.dumps(request, **spelling)
    expected = json.loads(text)
    expected.setdefault("params", {}).setdefault("_meta", {}).update(CARRIER)

    assert json.loads(spliced(text, CARRIER)) == expected


@given(requests, spellings)
def test_bytes_outside_meta_stay_as_the_host_wrote_them(
    request: dict[str, Any], spelling: dict[str, Any]
) -> None:
    """Taking the inserted entry out of the spliced text gives the host's own text back."""
    text = json.dumps(request, **spelling)
    meta = request.get("params", {}).get("_meta")
    if isinstance(meta, dict) and "traceparent" in meta:
        return
    after = spliced(text, CARRIER)
    entry = json.dumps(CARRIER, separators=(",", ":"))[1:-1]
    forms = [entry]
    if meta is None:
        forms.append(f'"_meta":{{{entry}}}')
    if "params" not in request:
        forms.append(f'"params":{{"_meta":{{{entry}}}}}')
    form = max((form for form in forms if form in after), key=len)

    assert text in (after.replace(form + ",", "", 1), after.replace(form, "", 1))


def test_a_forwarded_context_is_replaced_in_place() -> None:
    """An older `traceparent` gives way, and its neighbours keep their places."""
    text = '{"method":"m", "params":{"_meta" : {"a":1.50, "traceparent" : "old" ,"b":2}} }'

    assert spliced(text, {"traceparent": "new"}) == (
        '{"method":"m", "params":{"_meta" : {"a":1.50, "traceparent" : "new" ,"b":2}} }'
    )


def test_of_a_repeated_key_the_one_that_counts_is_used() -> None:
    """Parsers keep the last of several equal keys, so that is where the context goes."""
    text = '{"method":"m","params":{},"params":{"x":1}}'

    assert json.loads(spliced(text, CARRIER))["params"] == {"x": 1, "_meta": CARRIER}


@pytest.mark.parametrize("text", ["", "[]", '{"a"', '{"a":', "{1:2}", '"text"'])
def test_what_is_no_request_is_refused(text: str) -> None:
    """Text that is no JSON object is left to the caller."""
    with pytest.raises(ValueError, match=r"JSON|Expecting|Unterminated"):
        spliced(text, CARRIER)
