"""Lists, profiles, activity and the request log, for people."""
