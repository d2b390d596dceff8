"""The main job, each command printed as it is run and its output compared; started by ./tools/demo.

    demo.py bookworm|busybox
"""
from __future__ import annotations

import os
import pathlib
import re
import shlex
import sys
import tempfile

import images
from product import Outcome, Udocker
from registry import Registry

PUBLIC = """
The same with an image of a public registry, as yourself:

    {executable} pull debian:12
    {executable} create --name=mydebian debian:12
    {executable} run mydebian cat /etc/os-release
"""


class Demonstration:
    """Runs commands and remembers whether each did what was expected."""

    def __init__(self, udocker: Udocker):
        self.udocker = udocker
        self.wrong = 0

    def step(self, *words: str, expect: str = "", status: int = 0, stdin: bytes = b"") -> Outcome:
        """Runs `udocker WORDS`; `expect` is a regular expression that the whole of stdout must match, if given."""
        print(f"\n$ {'echo ' + shlex.quote(stdin.decode().strip()) + ' | ' if stdin else ''}udocker {shlex.join(words)}", flush=True)
        outcome = self.udocker.run(*words, stdin=stdin)
        print(outcome.err, outcome.out, sep="", end="", flush=True)
        if outcome.status:
            print(f"[exit status {outcome.status}]")
        if outcome.status != status:
            self._complain(f"the exit status should have been {status}")
        if expect and not re.fullmatch(expect, outcome.out.strip(), re.DOTALL):
            self._complain(f"the output should have matched {expect}")
        return outcome

    def expect_file(self, path: pathlib.Path, wanted: str) -> None:
        """Shows a file of the host that a command should have written."""
        text = path.read_text() if path.exists() else ""
        print(f"\n$ cat {path}\n{text}", end="", flush=True)
        if text != wanted:
            self._complain(f"the file should hold {wanted!r}")

    def _complain(self, text: str) -> None:
        self.wrong += 1
        print(f"UNEXPECTED: {text}", flush=True)


def show_runs(demonstration: Demonstration, shared: pathlib.Path) -> None:
    """What every image can do: identity, environment, volumes, pipes, exit status, what stays."""
    step = demonstration.step
    step("run", "--nobanner", "demo", "id", "-u", expect="0")
    step("run", "--nobanner", "--env=GREETING=hello from outside", "demo", "sh", "-c", 'echo "$GREETING"',
         expect="hello from outside")
    step("run", "--nobanner", f"--volume={shared}:/shared", "demo", "sh", "-c",
         "cat /shared/in && echo written inside > /shared/out", expect="written outside")
    demonstration.expect_file(shared / "out", "written inside\n")
    step("run", "--nobanner", "demo", "sh", "-c", "tr a-z A-Z", stdin=b"through a pipe\n", expect="THROUGH A PIPE")
    step("run", "--nobanner", "demo", "sh", "-c", "exit 7", status=7)
    step("run", "--nobanner", "demo", "sh", "-c", "echo kept > /root/note; ls -l /root/note >/dev/null && pwd", expect="/.*")
    step("run", "--nobanner", "demo", "cat", "/root/note", expect="kept")


def show(image: str, udocker: Udocker, registry: Registry, shared: pathlib.Path) -> int:
    """The whole job with one image; returns how many commands did something else than expected."""
    demonstration = Demonstration(udocker)
    step = demonstration.step
    name = {"busybox": "demo/busybox", "bookworm": "demo/debian"}[image]
    reference = registry.copy_from(images.layout_of(image, images.default_cache()), name, "v1")
    print(f"A registry listens on {registry.host}; skopeo has put {name}:v1 into it.")
    uuid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    step("version", expect=r"version: .*tarball: none.*")
    step("pull", reference)
    step("images", expect=rf"REPOSITORY\s+{re.escape(reference)} +\.")
    step("create", "--name=demo", reference, expect=uuid)
    step("ps", expect=rf"CONTAINER ID.*\n{uuid} \. W \['demo'\] +{re.escape(reference)}")
    if image == "bookworm":
        step("run", "--nobanner", "demo", "cat", "/etc/os-release", expect='PRETTY_NAME="Debian GNU/Linux 12.*')
        step("run", "--nobanner", "demo", "python3", "-c", "import sys; print(sys.version_info[:2], sum(range(10)))",
             expect=r"\(3, 11\) 45")
        step("run", "--nobanner", "demo", "python3", "-c",
             "import subprocess; print(subprocess.check_output(['sh', '-c', 'echo $((6 * 7))'], text=True).strip())",
             expect="42")
        step("run", "--nobanner", "demo", "dpkg-query", "-W", "-f", "${Status}", "base-files", expect="install ok installed")
    else:
        step("run", "--nobanner", "demo", "busybox", "head", "-n", "1", "/etc/passwd", expect="root:x:0:0:root:/root:/bin/sh")
    show_runs(demonstration, shared)
    step("rm", "demo")
    step("rmi", reference)
    step("ps", expect="CONTAINER ID[^\n]*")
    return demonstration.wrong


def main() -> int:
    executable = pathlib.Path(os.environ["UDOCKER_EXECUTABLE"])
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="demo."))
    shared = scratch / "shared"
    shared.mkdir()
    (shared / "in").write_text("written outside\n")
    registry = Registry(scratch / "registry").start()
    try:
        wrong = show(sys.argv[1], Udocker(executable, scratch / "home"), registry, shared)
    finally:
        registry.stop()
    if wrong:
        print(f"\n{wrong} of the commands above did not do what was expected")
        return 1
    print("\nEverything above did what was expected.")
    print(PUBLIC.format(executable="build/release/udocker"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
