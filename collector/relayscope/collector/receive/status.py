"""Statuses over gRPC and HTTP, and what clients may retry: the whole policy."""

import random
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from relayscope.collector import errors
from relayscope.collector.signals import Signal

# OTLP: clients retry UNAVAILABLE, and over HTTP 429, 502, 503 and 504; else they drop the data.
_CODES: Final[dict[type[Exception], tuple[StatusCode, int]]] = {
    errors.Malformed: (StatusCode.INVALID_ARGUMENT, 400),
    errors.Unauthenticated: (StatusCode.UNAUTHENTICATED, 401),
    errors.PermissionDenied: (StatusCode.PERMISSION_DENIED, 403),
    errors.WrongHost: (StatusCode.PERMISSION_DENIED, 421),
    errors.UnknownPath: (StatusCode.UNIMPLEMENTED, 404),
    errors.WrongMethod: (StatusCode.UNIMPLEMENTED, 405),
    errors.TooLarge: (StatusCode.RESOURCE_EXHAUSTED, 413),
    errors.UnsupportedMedia: (StatusCode.INVALID_ARGUMENT, 415),
    errors.Overloaded: (StatusCode.UNAVAILABLE, 429),
    errors.Unavailable: (StatusCode.UNAVAILABLE, 503),
    # What nobody foresaw is not retried: it would only come again.
    Exception: (StatusCode.INTERNAL, 500),
}


class Refusal(NamedTuple):
    """An error as both transports say it; `retry_after` is seconds, None if retrying is useless."""

    code: StatusCode
    http: int
    status: Status
    retry_after: int | None


def refusal(error: Exception) -> Refusal:
    """Return the refusal for an error; the nearest class in `_CODES` decides."""
    code, http = next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
    message = "internal error" if code is StatusCode.INTERNAL else str(error)
    status = Status(code=code.value[0], message=message)
    if not getattr(error, "retryable", False):
        return Refusal(code, http, status, None)
    # Python clients give up at once when told to wait longer than the rest of their 10 seconds.
    seconds = random.randint(1, 3)  # noqa: S311 - spreads the retries, guards nothing
    status.details.add().Pack(RetryInfo(retry_delay={"seconds": seconds}))
    return Refusal(code, http, status, seconds)


def success(signal: Signal, rejected: Mapping[str, int]) -> Message:
    """Return the answer to a stored request; with `partial_success` if some was not stored."""
    response: Any = signal.response()
    if rejected:
        reasons = "; ".join(f"{count}: {reason}" for reason, count in rejected.items())
        setattr(response.partial_success, signal.rejected, sum(rejected.values()))
        response.partial_success.error_message = reasons
    return response  # type: ignore[no-any-return]  # the pb2 stubs know only the concrete classes
