"""The languages that can be instrumented, one module each."""
