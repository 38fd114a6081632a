"""Levels that are set from outside.

The forwarder asks the collector over OpAMP (`polling.py`) and leaves the answer in a file beside
the spools (`rules_file.py`). The host finds it there (`steering.py`), and says in a file of its own
what became of it (`rules_status_file.py`), which the forwarder passes on. The host imports none of
OpAMP.
"""
