"""`relayscope serve`: build the parts from the settings, run them, stop them in order."""
