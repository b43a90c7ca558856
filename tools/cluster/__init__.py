"""A real single-node Kubernetes on this machine, its images and its monitoring. Python standard library only."""
