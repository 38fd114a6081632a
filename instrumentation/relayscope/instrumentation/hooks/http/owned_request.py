"""One HTTP request whose message a layer above records, which does not see what became of it.

The `mcp` SDK tells its sessions no more than that no answer came: not that the port was wrong, and
not which status the server has sent.
"""

from collections.abc import Mapping
from http import HTTPStatus

from relayscope.conventions.attributes import ERROR_UNANSWERED
from relayscope.instrumentation.hooks.connection_owner import Requester
from relayscope.instrumentation.runtime.shield import shielded

from .response_body import ResponseBody, refusal_by


class OwnedRequest:
    """A POST request that this process makes. Nothing here raises.

    The layer above receives the answer in its response. What a response says that has none, it may
    read and does not tell.
    """

    def __init__(self, requester: Requester, body: bytes) -> None:
        self._requester = requester
        self._body = body
        self._response: ResponseBody | None = None
        """A response that has no answer in it."""
        self._status = 0

    @property
    def is_heard(self) -> bool:
        """True if the response is one that says why there is no answer."""
        return self._response is not None

    def not_connected(self, error: BaseException, started: int) -> None:
        """Say that the server, tried at `started` (ns since the epoch), was not reached."""
        self._requester.not_connected(self._body, error, started)

    def not_sent(self, error: BaseException) -> None:
        """Say that the request did not go out."""
        self._requester.not_sent(self._body, error)

    @shielded
    def failed(self, error: BaseException) -> None:
        """Say that what was sent, wholly or in part, has no response, or only a part of one."""
        self._requester.failed(self._body, refusal_by(error))

    @shielded
    def response_start(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Take the response's status and headers, names in lower case."""
        response = ResponseBody(status, headers)
        if status != HTTPStatus.ACCEPTED and response.refusal.error_type != ERROR_UNANSWERED:
            self._response, self._status = response, status
            # The layer above may act on the status alone.
            self._requester.refused(self._body, response.refusal)

    @shielded
    def response_body(self, chunk: bytes) -> None:
        """Take the next part of the response's body, if the layer above reads it."""
        if self._response is not None:
            self._response.feed(chunk, more=True)

    @shielded
    def end(self) -> None:
        """Say that no more of the response is read."""
        response, self._response = self._response, None
        if response is None:
            return
        self._requester.refused(self._body, response.refusal)
        if self._status >= HTTPStatus.BAD_REQUEST:
            self._requester.refused_others(self._body, response.refusal)
