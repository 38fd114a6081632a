"""The command line `relayscope`: options that commands share, and one module per command."""
