"""The arrows of the design: who may import whom, and what the eye must never pull in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("inspector", "models", "station", "api", "demo")
MAY_IMPORT = {
    "inspector": {"inspector", "models"},
    "models": {"models"},
    "models/cli.py": {"models", "inspector"},
    "models/adaptation": {"models", "inspector"},
    "models/evaluation": {"models", "inspector"},
    "models/training": {"models", "inspector"},
    "models/scenes": {"models", "inspector"},
    "station": {"station", "inspector", "models"},
    "api": {"api", "inspector", "models"},
    "demo": {"demo", "inspector", "models"},
}
TOOLS = ("models/training", "models/scenes")
ON_TOP = ("models/cli.py", "models/adaptation", "models/evaluation")
"""What in models/ works with the eye, and ships; the catalogue, the cards and the registry below it know no eye."""


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the full name"
            names.add(node.module or "")
    return names


def _files(room: str) -> list[Path]:
    whole = ROOT / room
    inner = [ROOT / part for part in (*TOOLS, *ON_TOP) if part != room and whole in (ROOT / part).parents]
    paths = [whole] if whole.is_file() else sorted(whole.rglob("*.py"))
    return [path for path in paths if not any(part in (path, *path.parents) for part in inner)]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_rooms_its_arrows_point_to(room: str) -> None:
    files = _files(room)
    assert files, f"{room} has no code: the arrow is not held"
    for path in files:
        for name in _imports(path):
            top = name.split(".")[0]
            if top in ROOMS:
                assert top in MAY_IMPORT[room], f"{path.relative_to(ROOT)} imports {name}"


def test_nothing_that_ships_imports_the_workshop() -> None:
    for room in ("inspector", "models", *ON_TOP, "station", "api", "demo"):
        for path in _files(room):
            workshop = [n for n in _imports(path) if n.startswith(("models.training", "models.scenes"))]
            assert not workshop, f"{path.relative_to(ROOT)} imports {workshop}: training and scenes are tools"


@pytest.mark.parametrize(
    "module",
    [
        "inspector",
        "inspector.wire",
        "inspector.annotate",
        "inspector.shadow",
        "models",
        "models.registry",
        "models.shadows",
    ],
)
def test_the_eye_pulls_in_no_torch_no_web_no_database(module: str) -> None:
    heavy = ("torch", "fastapi", "sqlalchemy", "matplotlib")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_catalogue_knows_no_eye() -> None:
    code = "import sys, models.registry, models.shadows; print([m for m in ('inspector', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_help_imports_no_room() -> None:
    code = (
        "import sys, click.testing, lastlook;"
        "out = click.testing.CliRunner().invoke(lastlook.main, ['--help']).output;"
        "assert 'inspect' in out and 'serve' in out, out;"
        "print([m for m in ('inspector', 'models', 'api', 'station', 'numpy', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
