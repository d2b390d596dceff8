"""What programs cost in a container: udocker and PRoot against the same tree without either (bubblewrap)."""
from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
from typing import Callable

# A shell line each; they take from some tenths of a second to a few seconds of CPU natively.
WORKLOADS = {
    "find": "for i in 1 2 3 4 5; do find / -xdev -type f; done | wc -l",
    "ls -lR": "for i in 1 2 3; do ls -lR /usr /etc /var; done >/dev/null",
    "tar": "tar -C / -cf - usr/lib usr/share | cat >/dev/null",
    "spawn": "i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done",
    "compile": "cd /tmp && for i in 1 2 3 4 5 6; do gcc -O1 -c -o /tmp/o$i.o /tmp/unit.c; done",
    "stat, 4 threads": "python3 /tmp/stat.py",
}
UNIT = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
int f(int n) { return printf("%d", n * 3); }
"""
# System calls release the interpreter's lock, so the threads run side by side.
STAT = """import os, threading
def work():
    for _ in range(5000): os.stat("/usr/share/doc/../doc/bash")
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
"""


def compare(root: pathlib.Path, ours: Callable[[str], list[str]], environment: dict[str, str], rounds: int,
            cpu_of: Callable[[Callable[[], None]], float]) -> None:
    """`root` is the tree of a container; `ours` gives the command that runs a shell line in it."""
    (root / "tmp/unit.c").write_text(UNIT)
    (root / "tmp/stat.py").write_text(STAT)
    shared = ["/dev", "/proc", "/sys"]
    commands = {
        "native": lambda line: ["bwrap", "--bind", str(root), "/", "--dev-bind", "/dev", "/dev", "--ro-bind", "/proc", "/proc",
                                "--ro-bind", "/sys", "/sys", "--uid", "0", "--gid", "0", "/bin/sh", "-c", line],
        "udocker": ours,
        "PRoot": lambda line: [os.environ["PROOT"], "-0", "-r", str(root), *(word for path in shared for word in ("-b", path)),
                               "-w", "/", "/bin/sh", "-c", line],
    }
    env = {**environment, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    print(f"guests, CPU s of the whole process tree, medians of {rounds} rounds; x: relative to native:")
    for name, line in WORKLOADS.items():
        found: dict[str, list[float]] = {engine: [] for engine in commands}
        for _ in range(rounds):
            for engine, command in commands.items():
                found[engine].append(cpu_of(lambda: subprocess.run(
                    command(line), check=True, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE, cwd="/")))
        cpu = {engine: statistics.median(values) for engine, values in found.items()}
        native = cpu["native"]
        overhead = {engine: value / native - 1 for engine, value in cpu.items()}
        share = f"{overhead['udocker'] / overhead['PRoot']:.2f}" if overhead["PRoot"] > 0.02 else "-"
        print(f"  {name:16} native {native:6.2f}   udocker {cpu['udocker']:6.2f} ({cpu['udocker'] / native:5.2f} x)   "
              f"PRoot {cpu['PRoot']:6.2f} ({cpu['PRoot'] / native:5.2f} x)   our overhead / PRoot's: {share}", flush=True)
