"""The folder of one writer: held, recovered, appended to and kept within its bounds."""
