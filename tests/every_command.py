"""Imports all commands, which the command line itself does one by one when they are used."""

from scim_app import cli

for name in cli.names():
    cli.load(name)
