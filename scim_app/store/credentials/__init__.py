"""Tokens, API keys, sessions and emergency passwords: what proves who asks."""
