"""`make demo`: the operator's main job, shown on a real Kubernetes node."""
