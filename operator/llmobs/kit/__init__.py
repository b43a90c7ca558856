"""Domain-free building blocks: schemas, discovery, text, durations, errors."""
