"""The generations of conventions that applications emit, one module each."""
