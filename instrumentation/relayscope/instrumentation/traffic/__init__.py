"""Messages, and what they cross: JSON-RPC parsing, channels, open calls, and capture levels."""
