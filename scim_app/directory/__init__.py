"""The rules of the directory, pure: no web framework, no SQL, no clock."""
