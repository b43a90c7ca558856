"""Spec to manifests, pure: what will exist."""
