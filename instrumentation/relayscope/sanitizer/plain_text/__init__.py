"""Values of sensitive names in text without a grammar, by the ways in which they can follow."""
