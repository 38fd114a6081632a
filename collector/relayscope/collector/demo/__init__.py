"""`relayscope demo`: real MCP calls through two relays, seen end to end."""
