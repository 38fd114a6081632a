"""Hooks for HTTP clients and servers that carry JSON-RPC."""
