"""A relay made of FastMCP's proxy, 3.x or 4.x.

usage: fastmcp_relay.py (stdio | http PORT) (COMMAND ... | URL)
"""

import os
import sys
from typing import Any

from fastmcp.client.transports import StdioTransport
from fastmcp.server import create_proxy


def main() -> None:
    """Relay until the client closes its end, or for ever."""
    transport, *target = sys.argv[1:]
    port = 0 if transport == "stdio" else int(target.pop(0))
    first, *rest = target
    is_url = first.startswith("http:")
    backend: Any = first if is_url else StdioTransport(first, rest, env=dict(os.environ))
    proxy = create_proxy(backend)
    if transport == "stdio":
        proxy.run(transport="stdio", show_banner=False)
    else:
        proxy.run(transport="http", port=port, show_banner=False, log_level="warning")


if __name__ == "__main__":
    main()
