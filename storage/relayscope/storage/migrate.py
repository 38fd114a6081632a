from sqlalchemy import Engine


def migrate(engine: Engine) -> None:
    """Bring the database's tables and views to what this version needs.

    Safe to call from several processes at once, and cheap when there is nothing to do.

    Args:
        engine: An engine whose user may create schemas and tables.

    Raises:
        StorageUnavailable: The database cannot be reached, or refuses.
    """
    raise NotImplementedError(engine)
