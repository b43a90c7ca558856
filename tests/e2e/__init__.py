"""Tests on the real node."""
