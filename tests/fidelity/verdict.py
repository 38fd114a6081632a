"""Comparison of the database with what crossed the wire."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, text

from relayscope.instrumentation.recording.body_limit import DEFAULT_BODY_LIMIT
from tests.fidelity.binary import marked
from tests.fidelity.traffic import SECRET
from tests.fidelity.wire_bytes import Leg

_MARK: Final = re.compile(r"mark-\d{6}(?:-ask|-note-\d+|-step-\d+)?")

_TAG: Final = re.compile(r"\[(REDACTED|HASH|HASHED)[^\]]*\]")
_ORPHANS: Final = ("orphan_answer", "answer_to_notification")

RECORDS: Final = """
    select component, attributes ->> 'relayscope.message.direction' as direction, body,
           cast(attributes ->> 'relayscope.message.size' as bigint) as size,
           attributes ->> 'relayscope.message.sha256' as sha256,
           span_id, attributes ->> 'relayscope.message.odd' as odd
      from logs
     where event_name = 'mcp.message'
       -- What is said not to have been sent must not be on the wire.
       and not exists (
           select from logs as unsent
            where unsent.event_name = 'relayscope.message.send_failed'
              and unsent.body like 'not sent: %'
              and unsent.component = logs.component
              and unsent.attributes @> jsonb_build_object(
                  'relayscope.channel.id', logs.attributes -> 'relayscope.channel.id',
                  'relayscope.channel.sequence', logs.attributes -> 'relayscope.channel.sequence'
              )
       )
     order by time, time_unix_nano
"""

LEAKS: Final = """
    select (select count(*) from logs where cast(logs as text) like :secret)
         + (select count(*) from spans where cast(spans as text) like :secret)
"""

SPANS: Final = """
    select span_id, parent_span_id from spans
"""


class Share(NamedTuple):
    """Number of right ones, and of all."""

    right: int
    total: int

    def __str__(self) -> str:
        """As people read it; never rounded up to 100 %."""
        if self.right == self.total:
            return "100 %" if self.total else "none"
        return f"{min(99.99, 100 * self.right / self.total):.2f} %"


@dataclass
class Verdict:
    """Result of the comparison."""

    recall: Share
    precision: Share
    pairing: Share
    parenting: Share
    wrong: list[str] = field(default_factory=list)
    leaked: int = 0
    """Number of rows with a secret that was planted in the traffic."""

    @property
    def is_good(self) -> bool:
        """True if everything is right, and there was something that could be wrong."""
        shares = (self.recall, self.precision, self.pairing, self.parenting)
        return not self.leaked and all(share.right == share.total > 0 for share in shares)


class Seen(NamedTuple):
    """One record of a message."""

    component: str
    direction: str
    content: str
    span_id: str | None
    odd: str | None
    mark: str | None
    message: Any
    body: str


class Facts:
    """The records and spans of one run.

    Args:
        connection: To the database.
        client: The bytes that crossed the wire between the client and the relay.
        backend: The bytes that crossed it between the relay and its backend.
        sanitized: Returns the text that is stored for a text.
    """

    def __init__(
        self,
        connection: Connection,
        client: Leg,
        backend: Leg,
        sanitized: Callable[[str], str] = str,
    ) -> None:
        self._sanitized = sanitized
        self._wire: Mapping[tuple[str, str], list[str]] = {
            ("relay", "received"): [*client.forth, *backend.back],
            ("relay", "sent"): [*client.back, *backend.forth],
            ("backend", "received"): backend.forth,
            ("backend", "sent"): backend.back,
        }
        # A text that is too long for the database is known by its size and digest.
        self._texts = {self._key(text): text for texts in self._wire.values() for text in texts}
        # Binary content may be a marker, if it is the right one; the rest is as it was.
        self._marked = {
            _content(self._sanitized(marked(whole))): key for key, whole in self._texts.items()
        }
        self._records = [self._seen(row) for row in connection.execute(text(RECORDS))]
        self._parents: dict[str | None, str | None] = {
            row.span_id: row.parent_span_id for row in connection.execute(text(SPANS))
        }
        self._messages = {seen.span_id for seen in self._records}
        self._leaked: int = connection.execute(text(LEAKS), {"secret": f"%{SECRET}%"}).scalar_one()
        self.wrong: list[str] = []

    def verdict(self) -> Verdict:
        """Compare."""
        shares = *self._completeness(), self._pairing(), self._parenting()
        return Verdict(*shares, wrong=self.wrong, leaked=self._leaked)

    def _key(self, whole: str) -> str:
        """Return the key by which a text is found in the database."""
        is_cut = len(whole.encode()) > DEFAULT_BODY_LIMIT
        return _content(whole if is_cut else self._sanitized(whole))

    def _seen(self, row: Any) -> Seen:
        digest = row.sha256
        content = (
            f"{row.size} {digest}" if digest is not None else _content(untagged(row.body or ""))
        )
        content = self._marked.get(content, content)
        whole = self._texts.get(content) or row.body or ""
        mark = _MARK.search(whole)
        return Seen(
            row.component,
            row.direction,
            content,
            row.span_id,
            row.odd,
            mark.group() if mark else None,
            _json(whole),
            whole,
        )

    def _completeness(self) -> tuple[Share, Share]:
        found = total = recorded = 0
        for (component, direction), texts in self._wire.items():
            wire = Counter(map(self._key, texts))
            database = Counter(
                seen.content
                for seen in self._records
                if (seen.component, seen.direction) == (component, direction)
            )
            found += (wire & database).total()
            total += wire.total()
            recorded += database.total()
            bodies = {seen.content: seen.body for seen in self._records} | self._texts
            for what, missing in (("missing", wire - database), ("invented", database - wire)):
                self.wrong += [
                    f"{what}: {component} {direction} x{times} {bodies.get(key, key)[:300]}"
                    for key, times in missing.items()
                ]
        return Share(found, total), Share(found, recorded)

    def _pairing(self) -> Share:
        """Each answer has the span of the request with its mark, or at least its id."""
        requests: dict[tuple[str, str, str], set[str | None]] = {}
        for seen in self._records:
            if _is_request(seen.message):
                for key in _keys(seen):
                    requests.setdefault((seen.component, seen.direction, key), set()).add(
                        seen.span_id
                    )
        right = total = 0
        for seen in self._records:
            if not isinstance(seen.message, dict) or "method" in seen.message:
                continue
            total += 1
            other = "sent" if seen.direction == "received" else "received"
            key = next(_keys(seen))
            asked = requests.get((seen.component, other, key), set())
            # What has no id answers nothing.
            is_orphan = seen.mark is None and seen.message.get("id") is None
            if seen.odd in _ORPHANS if is_orphan else seen.span_id in asked:
                right += 1
            else:
                self.wrong.append(f"pairing: {seen.component} {seen.direction} {key}")
        return Share(right, total)

    def _message_above(self, span_id: str | None) -> str | None:
        """Return the span of the message above, past spans that the host has made in between."""
        above = self._parents.get(span_id, "no such span")
        while above in self._parents and above not in self._messages:
            above = self._parents[above]
        return above

    def _cancelled_by(self, seen: Seen) -> set[str | None]:
        """Return the spans that a cancellation without context may be below: if open then."""
        if seen.message["method"] != "notifications/cancelled":
            return set()
        identifier = seen.message["params"]["requestId"]
        return {
            other.span_id
            for other in self._records
            if (other.component, other.direction) == (seen.component, seen.direction)
            and _is_request(other.message)
            and other.message["id"] == identifier
        }

    def _parenting(self) -> Share:
        """Each span's parent is who caused it: the sender's span, or the call it works for."""
        by_content: dict[tuple[str, str], list[Seen]] = {}
        caused: dict[tuple[str, str], Seen] = {}
        for seen in self._records:
            by_content.setdefault((seen.direction, seen.content), []).append(seen)
            if _has_method(seen.message) and seen.direction == "received" and seen.mark:
                caused.setdefault((seen.component, seen.mark), seen)
        right = total = 0
        for seen in self._records:
            if not _has_method(seen.message):
                continue
            if seen.direction == "received":
                senders = by_content.get(("sent", seen.content), [])
                # Many pings look alike, so their senders cannot be told apart.
                expected = {sender.span_id for sender in senders} or {_carried(seen.message)}
                if not _takes_context(seen.message):
                    expected = {None}
                elif expected == {None}:
                    expected |= self._cancelled_by(seen)
            elif seen.mark is not None:
                cause = caused.get((seen.component, seen.mark)) or caused.get(
                    (seen.component, seen.mark[:11])
                )
                expected = {cause.span_id if cause else None}
            else:
                continue
            total += 1
            parent = self._message_above(seen.span_id)
            if parent in expected:
                right += 1
            else:
                self.wrong.append(
                    f"parenting: {seen.component} {seen.direction} {seen.mark} "
                    f"{seen.message['method']}: {parent}, not {expected}"
                )
        return Share(right, total)


def untagged(body: str) -> str:
    """A stored text without the tags of its secrets, whose key is not known here."""
    return _TAG.sub(r"[\1]", body)


def _content(body: str) -> str:
    data = body.encode()
    return f"{len(data)} {sha256(data).hexdigest()}"


def _json(whole: str) -> Any:
    try:
        return orjson.loads(whole)
    except ValueError:
        return None


def _has_method(message: Any) -> bool:
    return isinstance(message, dict) and "method" in message


def _takes_context(message: Any) -> bool:
    """Return whether the method is MCP's; a server may pass other messages to a function."""
    return not message["method"].startswith(("busy/", "no/"))


def _is_request(message: Any) -> bool:
    return _has_method(message) and "id" in message


def _keys(seen: Seen) -> Iterator[str]:
    if seen.mark is not None:
        yield seen.mark
    yield f"id {seen.message.get('id')}"


def _carried(message: Any) -> str | None:
    """The span id that a message carries as its context."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    traceparent = meta.get("traceparent") if isinstance(meta, dict) else None
    return traceparent.split("-")[2] if isinstance(traceparent, str) else None
