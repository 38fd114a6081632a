"""The backend of `bench_rivals`: an MCP server over stdio whose tool makes a span."""

from mcp.server.fastmcp import FastMCP
from opentelemetry import trace

server = FastMCP("adder", log_level="WARNING")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    with trace.get_tracer("adder").start_as_current_span("work"):
        return a + b


if __name__ == "__main__":
    server.run()
