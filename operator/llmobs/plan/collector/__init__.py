"""The gateway: its configuration and the objects that run it."""
