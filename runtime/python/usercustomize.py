"""The second door: starts the runtime where the application's own sitecustomize was imported instead of ours.

Python imports this right after sitecustomize, except in a virtual environment and where user site packages are off.
When both run, the second start does nothing, and each hands over to the application's module of its own name.
"""

try:
    from llmobs_runtime import start
except Exception:
    # A process that we cannot observe must start as it would without us.
    pass
else:
    start.begin(__name__)
    start.hand_over(__name__, __file__)
