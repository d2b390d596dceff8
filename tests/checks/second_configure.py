#!/usr/bin/python3
"""Shows that a second configure takes the libraries that tools/deps built for the first one.

    second_configure.py PREFIX    PREFIX is the folder that the first one got from tools/deps

The tools that fetch and unpack sources are replaced by ones that fail and leave a mark.
"""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def files_of(folder: pathlib.Path) -> dict[str, tuple[int, int, int]]:
    """path -> inode, time and size: what a rebuild would change."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[str(path)] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


class FailingTools:
    """A folder for the front of PATH; `used` tells what was called."""

    def __init__(self, scratch: pathlib.Path):
        self.folder = scratch / "tools"
        self.marks = scratch / "marks"
        self.folder.mkdir()
        self.marks.touch()
        for name, status in (("apt-get", 1), ("dpkg-source", 1), ("patch", 1), ("sleep", 0)):
            tool = self.folder / name
            tool.write_text(f"#!/bin/sh\necho {name} >>'{self.marks}'\nexit {status}\n")
            tool.chmod(0o755)

    def run(self, *words: str | os.PathLike, deps: pathlib.Path) -> subprocess.CompletedProcess:
        environment = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "UDOCKER_DEPS_DIR": str(deps)}
        return subprocess.run([os.fspath(word) for word in words], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    @property
    def used(self) -> set[str]:
        return set(self.marks.read_text().split())


def main() -> int:
    prefix = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        tools = FailingTools(scratch)
        before = files_of(prefix)
        assert before, f"{prefix} is empty"
        done = tools.run("cmake", "-G", "Ninja", "-S", PROJECT, "-B", scratch / "build", "-DUDOCKER_TESTS=OFF",
                         deps=prefix.parent)
        assert done.returncode == 0, done.stdout
        assert str(prefix) in done.stdout, f"another folder was taken:\n{done.stdout}"
        assert tools.used == set(), f"called: {tools.used}"
        assert files_of(prefix) == before, "the libraries were written again"

        # That the marks mean something: where nothing is built yet, the sources are asked for.
        (scratch / "empty").mkdir()
        done = tools.run(PROJECT / "tools/deps", deps=scratch / "empty")
        assert done.returncode != 0 and "apt-get" in tools.used, done.stdout
    return 0


if __name__ == "__main__":
    sys.exit(main())
