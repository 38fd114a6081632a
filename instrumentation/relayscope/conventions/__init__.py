"""Names that traced processes, the collector and the database must spell alike.

`attributes` and `events` are what is put on spans and log records, `environment` the variables that
users set. Nothing is imported here: a traced program starts with it.
"""
