"""The only place that speaks SQL: rows and events in one transaction, SQLite or PostgreSQL."""
