"""Makes the scripted network importable by the tests of the eye."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
