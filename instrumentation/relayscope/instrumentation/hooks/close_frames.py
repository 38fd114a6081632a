"""The close frames that a protocol of the `websockets` library has sent and received.

Its own `close_code` knows only what was received: on the side that closes because a message is too
large, or because no pong came, it is 1006.
"""

from typing import Any

from relayscope.instrumentation.traffic.channel_close import ChannelClose, Closer


def close_in_frames(protocol: Any) -> ChannelClose | None:
    """Return the close that the first close frame tells of, None if there was no such frame.

    Args:
        protocol: Of either kind, legacy or not.
    """
    received, sent = protocol.close_rcvd, protocol.close_sent
    if received is not None and protocol.close_rcvd_then_sent is not False:
        return ChannelClose(received.code, received.reason, closed_by=Closer.PEER)
    if sent is not None:
        return ChannelClose(sent.code, sent.reason, closed_by=Closer.SELF)
    return None
