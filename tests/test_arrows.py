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
    "models/training": {"models", "inspector"},
    "models/scenes": {"models", "inspector"},
    "station": {"station", "inspector", "models"},
    "api": {"api", "inspector", "models"},
    "demo": {"demo", "inspector", "models"},
}
TOOLS = ("models/training", "models/scenes")


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
    inside_tools = [ROOT / tool for tool in TOOLS if tool != room]
    return [
        path
        for path in (ROOT / room).rglob("*.py")
        if not any(tool in path.parents for tool in inside_tools if ROOT / room in (tool, *tool.parents))
    ]


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
    for room in ("inspector", "station", "api", "demo"):
        for path in _files(room):
            workshop = [n for n in _imports(path) if n.startswith(("models.training", "models.scenes"))]
            assert not workshop, f"{path.relative_to(ROOT)} imports {workshop}: training and scenes are tools"


@pytest.mark.parametrize("module", ["inspector", "inspector.wire", "inspector.annotate", "models"])
def test_the_eye_pulls_in_no_torch_no_web_no_database(module: str) -> None:
    heavy = ("torch", "fastapi", "sqlalchemy", "matplotlib")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
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
