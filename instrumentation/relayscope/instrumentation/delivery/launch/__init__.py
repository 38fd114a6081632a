"""Starting the forwarder as a process that outlives its host."""
