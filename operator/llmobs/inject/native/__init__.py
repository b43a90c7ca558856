"""Instrumentation by the API server itself: a compiled policy as a MutatingAdmissionPolicy, without a webhook."""
