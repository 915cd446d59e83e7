"""Access reviews and exceptions from controls."""
