"""The assets, by group."""
