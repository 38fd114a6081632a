"""Variables from which libpq takes what a URL does not say.

They are meant for other servers: with `PGHOSTADDR` or `PGSERVICE` nobody would find the embedded
one, and of these a URL cannot say that they do not count.
"""

import os
from typing import Final

from psycopg import pq

# Those that libpq knows and does not list.
_OTHERS: Final = ("PGSERVICEFILE", "PGSYSCONFDIR", "PGDATESTYLE", "PGTZ", "PGGEQO")


def leave_out_libpq_variables() -> None:
    """Take them out of the environment of this process, and of those that it starts."""
    listed = (option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar)
    for name in (*listed, *_OTHERS):
        os.environ.pop(name, None)
