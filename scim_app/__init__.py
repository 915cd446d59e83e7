"""The SCIM service: what Okta, Entra ID and other identity providers push users and groups to."""
