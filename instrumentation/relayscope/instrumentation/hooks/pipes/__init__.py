"""Hooks for JSON-RPC over pipes: this process's stdin and stdout, and those of children."""
