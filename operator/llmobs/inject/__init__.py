"""Pod to decision, pure: will this pod change, how, and why not."""
