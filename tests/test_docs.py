"""What the documentation points to is there: pages, pictures, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lastlook import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} points to {target}, which is not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_a_page_names_exists(page: Path) -> None:
    for command in re.findall(
        r"^\s*(?:\$ )?lastlook ([a-z]+)|`lastlook ([a-z]+)", page.read_text("utf-8"), re.MULTILINE
    ):
        name = command[0] or command[1]
        assert name in COMMANDS, f"{page.name} names `lastlook {name}`, which does not exist"


def test_readme_names_the_two_commands_first() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:30])
    assert "make demo" in first_screen
    assert "make test" in first_screen
    assert first_screen.count("![") >= 2
