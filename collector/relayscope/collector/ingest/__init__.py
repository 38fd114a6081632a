"""From the bytes of a request to the commit of its rows."""
