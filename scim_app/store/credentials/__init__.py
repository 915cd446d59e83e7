"""Tokens, API keys, sessions and identities: what proves who asks."""
