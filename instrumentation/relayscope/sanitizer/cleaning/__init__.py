"""The thorough way, for records in which something could be found."""
