"""Runs the product the way a user does, in a home and a repository of its own."""
from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import subprocess

HANG_LIMIT = 600  # seconds after which a command counts as hung; not a measure of anything
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def children_of(process: int) -> list[int]:
    """The processes that this one has started, as far as they run."""
    return [int(word) for word in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@dataclasses.dataclass
class Outcome:
    """What a command did."""

    command: list[str]
    status: int
    raw_out: bytes
    raw_err: bytes

    @property
    def out(self) -> str:
        return self.raw_out.decode(errors="surrogateescape")

    @property
    def err(self) -> str:
        return self.raw_err.decode(errors="surrogateescape")

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def json(self):
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"$ {' '.join(self.command)}\n[status {self.status}]\n[stdout]\n{self.out}[stderr]\n{self.err}"


class Udocker:
    """The executable with a scratch home; each call is one process."""

    def __init__(self, executable: pathlib.Path, home: pathlib.Path):
        self.executable = executable
        self.home = home
        self.top = home / ".udocker"
        self.environment = {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "UDOCKER_DIR": str(self.top)}
        # How the engine works, where the whole run of the tests is about that.
        self.environment |= {name: value for name, value in os.environ.items() if name == "UDOCKER_FAST_AFTER"}
        home.mkdir(parents=True, exist_ok=True)

    def command(self, *words: str | os.PathLike) -> list[str]:
        return [str(self.executable), *map(os.fspath, words)]

    def start(self, *words: str | os.PathLike, env: dict[str, str] | None = None, **options) -> subprocess.Popen:
        """Starts a command and leaves it to the test; pipes unless the options say otherwise."""
        for stream in ("stdin", "stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        return subprocess.Popen(self.command(*words), env={**self.environment, **(env or {})},
                                cwd=options.pop("cwd", self.home), **options)

    def run(self, *words: str | os.PathLike, env: dict[str, str] | None = None, stdin: bytes = b"",
            prefix: list[str] | None = None, cwd: pathlib.Path | None = None) -> Outcome:
        """Runs a command to its end, whatever that is. `prefix` is put before it (strace, unshare, ..)."""
        command = [*(prefix or []), *self.command(*words)]
        done = subprocess.run(command, env={**self.environment, **(env or {})}, input=stdin, cwd=cwd or self.home,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=HANG_LIMIT, check=False)
        return Outcome(command, done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str | os.PathLike, **options) -> Outcome:
        """Runs a command that must succeed."""
        outcome = self.run(*words, **options)
        assert outcome.status == 0, f"should have succeeded\n{outcome}"
        return outcome

    def fails(self, *words: str | os.PathLike, status: int = 1, **options) -> Outcome:
        """Runs a command that must fail with this status and say why in one line on stderr, beside what informs."""
        outcome = self.run(*words, **options)
        assert outcome.status == status, f"should have ended with status {status}\n{outcome}"
        errors = [line for line in outcome.err.splitlines() if not line.startswith("Info: ")]
        assert len(errors) == 1 and errors[0].startswith("Error: "), f"should have said why in one line\n{outcome}"
        return outcome

    def create(self, reference: str, *options: str) -> str:
        """Creates a container and returns its id."""
        outcome = self.ok("create", *options, reference)
        assert UUID.fullmatch(outcome.out.strip()), f"should have printed the id alone\n{outcome}"
        return outcome.out.strip()

    def root_of(self, container: str) -> pathlib.Path:
        """The root tree of a container, as the product tells it."""
        return pathlib.Path(self.ok("inspect", "-p", container).out.strip())

    def snapshot(self) -> dict[str, str]:
        """Everything below the repository with what identifies it, to show that nothing changed. The folders of .state
        are the store's places of work: they may come, but must be empty as they were."""
        seen = {}
        for path in sorted(self.top.rglob("*")):
            status = path.lstat()
            if ".state" in path.parts and path.is_dir():
                continue
            extra = os.readlink(path) if path.is_symlink() else status.st_size if path.is_file() else ""
            seen[str(path.relative_to(self.top))] = f"{status.st_mode:o} {extra}"
        return seen
