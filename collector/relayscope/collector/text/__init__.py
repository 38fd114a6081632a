"""Text for people: times are read, quantities and messages are written short and harmless."""
