"""Names that traced processes, the collector and the database must spell alike.

`attributes` and `events` are what is put on spans and log records, `odd_traffic` the marks of odd
messages, `environment` the variables that users set. `yaml_text` reads their YAML in the same way
everywhere, and `install_command` says how an environment gets a package. Nothing of relayscope is
imported here.
"""
