"""The code location: identities as assets, from the event log to reports and alerts."""
