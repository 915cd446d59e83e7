"""Organization settings: the pages an admin lives in, and how people sign in to them."""
