"""Signs of what could be in a text, and their places."""
