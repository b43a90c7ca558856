"""What `make test` runs, in its order."""
