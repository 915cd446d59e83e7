"""Which user a person is who signs in: identities, first sign-ins, and the operator's links."""
