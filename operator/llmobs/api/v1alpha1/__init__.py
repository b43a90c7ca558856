"""llmobs.dev/v1alpha1: one module per kind."""
