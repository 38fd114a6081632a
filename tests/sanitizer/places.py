"""Places that a text can stand in, in telemetry."""

import base64
import json
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from relayscope.sanitizer import Value

_WORD: Final = re.compile(r"\w+")

Place = Callable[[str], Value]

PLACES: Final[dict[str, Place]] = {
    "a name or a body": lambda text: text,
    "an attribute's value": lambda text: {"http.url": text},
    "an attribute's key": lambda text: {text: 1},
    "a nested list": lambda text: {"a": [1, ["x", text]]},
    "a nested mapping": lambda text: {"a": {"b": [{"c": text}]}},
    "a nested key": lambda text: {"a": {"b": {text: None}}},
    "bytes": lambda text: text.encode(),
    "JSON": lambda text: json.dumps({"params": {"arguments": ["x", {"note": text}]}}),
    "a JSON key": lambda text: json.dumps({"params": {text: 1}}),
    "JSON in JSON": lambda text: json.dumps({"text": json.dumps({"text": json.dumps([text])})}),
    "MCP's _meta": lambda text: json.dumps({"params": {"_meta": {"x.y/z": text}}}),
    "JSON as base64": lambda text: base64.b64encode(json.dumps({"x": text}).encode()).decode(),
    "JSON as base64 in JSON": lambda text: json.dumps(
        {"blob": base64.urlsafe_b64encode(json.dumps({"x": text}).encode()).decode()}
    ),
    "a query with JSON": lambda text: "https://h/p?q=" + quote(json.dumps({"x": text})),
    "a server-sent event": lambda text: f"event: message\ndata: {json.dumps({'x': text})}\n\n",
    "JSON in a log line": lambda text: f"WARN got {json.dumps({'x': text})} from peer",
    "JSON that was cut off": lambda text: json.dumps({"x": text, "y": [1, "z"]})[:-4],
    "a stack trace": lambda text: f'Traceback:\n  File "x.py", line 1\nValueError: {text}\n',
    "baggage": lambda text: f"userId=alice,x={text}",
    "text with escapes": lambda text: 'said "' + json.dumps(text)[1:-1] + '" to me',
}


def holds(value: Value, secret: str) -> bool:
    """Return whether a secret can be read in a value, in any form in which it was put in."""
    if isinstance(value, bytes):
        value = value.decode()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # What no spelling changes but base64; a single letter is in every text.
    core = max(_WORD.findall(secret), key=len)
    core = core if len(core) > 1 else secret
    forms = {secret, core, *_base64(secret), *_base64(core)}
    return any(form in text for form in forms if form)


def _base64(secret: str) -> set[str]:
    """Return a secret in base64, as it reads behind any number of bytes, without its edges."""
    data = secret.encode()
    whole = (data[start : start + (len(data) - start) // 3 * 3] for start in range(3))
    return {base64.b64encode(part).decode()[:16] for part in whole}
