"""One module per library whose reads and writes are watched.

A hook sees one message, tells the exchange, and passes the message on. Patches are applied when
the host imports the library: a host that does not use it pays nothing.
"""
