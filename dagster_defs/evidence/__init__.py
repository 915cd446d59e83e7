"""Evidence packs: a period's reports as HTML, PDF and CSV with a manifest, the same bytes for the same period."""
