"""Starts the telemetry runtime in this process, then runs the application's own sitecustomize.

Every Python in the pod finds this through PYTHONPATH, whatever its version.
"""

try:
    from llmobs_runtime import start
except Exception:
    # A process that we cannot observe must start as it would without us.
    pass
else:
    start.begin(__name__)
    start.hand_over(__name__, __file__)
