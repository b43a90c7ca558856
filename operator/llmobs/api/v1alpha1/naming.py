"""The form of names inside a resource."""

NAME = r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"
"""Names inside a resource: they become label values and parts of object names."""
