"""For every field of every kind: two specs that differ in it alone."""
