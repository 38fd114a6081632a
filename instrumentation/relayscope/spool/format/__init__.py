"""The files of a slot: segments of framed records, the cursor, the log of drops."""
