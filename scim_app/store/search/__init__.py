"""Filters, sorting and pages of SCIM lists."""
