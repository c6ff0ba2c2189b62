"""What the commands that make an embedder are told alike."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path


def options(description: str | None) -> argparse.ArgumentParser:
    """Where the pictures lie, what is written and when, and the seed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--contents", type=Path, required=True, help="folder of the contents photos")
    parser.add_argument("--renders", type=Path, required=True, help="folder of the renders")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new version")
    parser.add_argument("--created", type=date.fromisoformat, required=True, help="its day, as 2026-11-22")
    parser.add_argument("--seed", type=int, default=0)
    return parser
