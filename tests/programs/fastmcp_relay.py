"""A relay made of FastMCP's proxy, 3.x or 4.x: stdio on both sides.

usage: fastmcp_relay.py COMMAND ...
"""

import os
import sys

from fastmcp.client.transports import StdioTransport
from fastmcp.server import create_proxy

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    backend = StdioTransport(command, arguments, env=dict(os.environ))
    create_proxy(backend).run(transport="stdio", show_banner=False)
