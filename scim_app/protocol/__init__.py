"""SCIM on the wire: RFC 7643 and 7644, and what identity providers really send."""
