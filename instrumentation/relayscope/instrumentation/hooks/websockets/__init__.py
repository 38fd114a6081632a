"""Hooks for WebSockets: the `websockets` library and aiohttp."""
