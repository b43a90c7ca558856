"""The admission webhook as a process of its own."""
