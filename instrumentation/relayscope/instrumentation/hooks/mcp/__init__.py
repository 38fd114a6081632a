"""Hooks for the `mcp` SDK, 1.x and 2.x."""
