"""Programs of our own that run natively and in a guest, where both must say the same."""
from __future__ import annotations

import difflib
import os
import pathlib
import subprocess

import pytest

from guests import Container
from images import PROGRAMS
from product import HANG_LIMIT

ABIS = {"x86_64": [], "i386": ["-m32"]}


class Programs:
    """Static programs from tests/blackbox/programs, compiled when they are first asked for."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def build(self, name: str, abi: str) -> pathlib.Path:
        place = self.folder / abi / name
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["gcc", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", "-static", "-pthread", *ABIS[abi], "-o", place,
                            PROGRAMS / f"{name}.c"], check=True)
        return place

    def natively(self, name: str, abi: str, *words: str | os.PathLike, **how) -> tuple[str, int]:
        """Output and status, negative for a signal."""
        done = subprocess.run([self.build(name, abi), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              timeout=HANG_LIMIT, check=False, **how)
        return done.stdout.decode(), done.returncode

    def in_guest(self, container: Container, name: str, abi: str, *words: str, options: tuple = (), **how) -> tuple[str, int]:
        """The same of the program in a container, as the user who runs the tests unless the options say otherwise. Status
        as of a shell."""
        self.build(name, abi)
        outcome = container.run(f"/programs/{abi}/{name}", *words, options=(
            f"--user={os.getuid()}:{os.getgid()}", f"--volume={self.folder}:/programs", *options), **how)
        assert outcome.err == "", outcome
        return outcome.out, outcome.status


def assert_same(native: tuple[str, int], guest: tuple[str, int]) -> None:
    """Both said the same and ended alike; a death by signal counts as in a shell."""
    status = native[1] if native[1] >= 0 else 128 - native[1]
    lines = difflib.unified_diff([*native[0].splitlines(), f"status {status}"], [*guest[0].splitlines(), f"status {guest[1]}"],
                                 "native", "guest", lineterm="", n=0)
    if text := "\n".join(lines):
        pytest.fail(text, pytrace=False)
