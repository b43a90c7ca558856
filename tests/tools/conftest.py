"""The tools are scripts beside the product: their folder is put on the path here, as running them does."""

import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
