"""The only door for Dagster: consistent cuts of the store, as rows and as Arrow."""

from scim_app.store.export.export import Export, Head, Row, Snapshot

__all__ = ["Export", "Head", "Row", "Snapshot"]
