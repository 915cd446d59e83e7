"""What SCIM and admins may do with users and teams: create, change, leave, remove, restore, link."""
