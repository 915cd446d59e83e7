"""The event log: one write, its events and its commit."""
