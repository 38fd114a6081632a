"""The host's side of delivery: numbers records and appends them to the process's spool."""
