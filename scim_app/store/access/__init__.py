"""Organizations, places, grants, and the access that follows from them."""
