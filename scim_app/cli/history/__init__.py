"""A year of believable history of one organization: planned by a seed, written through the store's own writes."""
