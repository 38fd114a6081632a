"""Values: where they end, and which of them are no secrets."""
