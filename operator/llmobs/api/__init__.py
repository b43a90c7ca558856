"""The custom resources as frozen dataclasses, and everything that is derived from their names."""
