"""Promises about records as they stand in the spool."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LogRecordLimits, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource

from relayscope.instrumentation.delivery.encoding.fields import LogFields, unpack
from relayscope.instrumentation.delivery.encoding.record import pack_log

_TEXTS = st.text(st.characters(exclude_categories=()))
"""Any that Python can hold, so also what is no Unicode."""

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | _TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(_TEXTS, values, max_size=3),
    max_leaves=8,
)


@given(_VALUES, st.dictionaries(_TEXTS.filter(bool), _TEXTS, max_size=4), _TEXTS)
def test_a_record_is_read_as_it_was_packed(
    body: Any, attributes: dict[str, str], event_name: str
) -> None:
    """This holds for any record of a host, and after any others."""
    resource = Resource.get_empty()
    record = LogRecord(body=body, event_name=event_name)
    record.attributes = attributes
    emitted = ReadWriteLogRecord(record, resource, limits=LogRecordLimits())

    fields = unpack(pack_log(emitted, 7, None, resource))

    assert isinstance(fields, LogFields)
    # By their text: a NaN is not equal to itself.
    assert repr(fields.body) == repr(body)
    assert fields.attributes == attributes
    assert (fields.number, fields.event_name) == (7, event_name)
