"""The only reasons for which a test may be skipped: the lines of tests/skips.txt.

A line is `name | probe | reason`: the probe is a shell command, and the skip is right only where it fails.
"""
from __future__ import annotations

import functools
import pathlib
import subprocess

TABLE = pathlib.Path(__file__).resolve().parents[1] / "skips.txt"


def table() -> dict[str, tuple[str, str]]:
    """name -> (probe, reason)"""
    entries = {}
    for line in TABLE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, probe, reason = (part.strip() for part in line.split("|", 2))
            entries[name] = (probe, reason)
    return entries


@functools.lru_cache(maxsize=None)
def unmet(name: str) -> str:
    """Empty if the machine has what the line asks for, else the reason of the line."""
    probe, reason = table()[name]
    works = subprocess.run(["/bin/sh", "-c", probe], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False).returncode == 0
    return "" if works else reason
