"""One HTTP request whose message a layer above records, which does not see what became of it.

The `mcp` SDK tells its sessions no more than that no answer came: not that the port was wrong, and
not which status the server has sent.
"""

from http import HTTPStatus

from relayscope.instrumentation.hooks.connection_owner import Requester


class OwnedRequest:
    """A POST request that this process makes. Nothing here raises.

    Whatever is in its response, the layer above receives it.
    """

    def __init__(self, requester: Requester, body: bytes) -> None:
        self._requester = requester
        self._body = body

    def not_connected(self, error: BaseException, started: int) -> None:
        """Say that the server, tried at `started` (ns since the epoch), was not reached."""
        self._requester.not_connected(self._body, error, started)

    def not_sent(self, error: BaseException) -> None:
        """Say that the request did not go out."""
        self._requester.not_sent(self._body, error)

    def failed(self, error: BaseException) -> None:
        """Say that no response came to what was sent, wholly or in part."""
        self._requester.failed(self._body, error)

    def responded(self, status: int) -> None:
        """Take the response's status."""
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            self._requester.refused(self._body, status)
