"""The only code that knows kopf: one level-based function per kind."""
