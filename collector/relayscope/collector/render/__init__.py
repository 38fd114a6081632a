"""Text for a terminal and for programs, made of what `query` returns."""
