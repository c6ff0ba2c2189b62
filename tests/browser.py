"""Where a real Chromium is, for the tests that drive one. `python -m tests.browser` makes sure that there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
"""A test browser calls nobody."""


def chromium() -> str | None:
    """Path of a Chromium: $LASTLOOK_CHROMIUM, the system's own, or the one that Playwright brought; None if none."""
    told = os.environ.get("LASTLOOK_CHROMIUM")
    if told:
        return told
    for name in NAMES:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None  # noqa: PTH110 -- a str in, a str out


def flags() -> list[str]:
    """Command-line switches for this user: root, as in a container, has no sandbox."""
    return [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS


def main() -> int:
    """Bring a Chromium where there is none."""
    if chromium():
        return 0
    print("No Chromium found: fetching the one that Playwright brings.", file=sys.stderr)
    with_deps = ["--with-deps"] if os.geteuid() == 0 else []
    done = subprocess.run([sys.executable, "-m", "playwright", "install", *with_deps, "chromium"], check=False)
    if done.returncode or not chromium():
        print("Could not. Install Chromium or Chrome, or set LASTLOOK_CHROMIUM to one.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
