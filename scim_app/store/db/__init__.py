"""The database: engines, dialects, prepared statements, tables and migrations."""
