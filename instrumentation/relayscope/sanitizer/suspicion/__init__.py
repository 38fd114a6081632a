"""What could be in a text, and where."""
