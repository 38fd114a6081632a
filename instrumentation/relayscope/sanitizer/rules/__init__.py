"""Rules: how they are read and checked, and what they put in a secret's place."""
