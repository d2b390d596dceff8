#!/usr/bin/python3
"""Many processes change one repository at once and are killed at random; at the end it is whole and nothing is left over.

    soak.py [--minutes N] [--seed N] [--processes N]

The seed decides which commands run and which are killed; how they meet is up to the system.
"""
from __future__ import annotations

import argparse
import collections
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import archives
import oci
from oci import file, folder, tar_layer
from product import HANG_LIMIT, Udocker
from registry import Registry

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BASE = tar_layer([folder("etc"), file("etc/base", os.urandom(40_000))])
# What commands may say that come too late, or too early.
EXPECTED = re.compile("already exists|exists already|is taken|does not exist|not in the local repository|not found|no container name|"
                      "no container and no image|protected|is in use|is held by|fetched by another process|invalid container id|invalid image|no such|No such")


class Soak:
    def __init__(self, executable: pathlib.Path, folder_: pathlib.Path, seed: int, processes: int = 20):
        self.random, self.processes = random.Random(seed), processes
        self.udocker = Udocker(executable, folder_ / "home")
        self.files = folder_ / "files"
        self.registry = Registry(folder_ / "registry").start()
        self.counts: collections.Counter = collections.Counter()
        self.wrong: list[str] = []
        self._prepare()

    def _prepare(self) -> None:
        self.files.mkdir()
        self.images = [oci.image([BASE, tar_layer([file("own", os.urandom(size))])]) for size in (10, 300_000, 2_000_000)]
        self._move_tags()
        oci.push(self.registry, "soak/steady", "1", oci.image([BASE]))
        saved = [oci.image([tar_layer([file("f", os.urandom(5000))], "none")], docker=True) for _ in range(2)]
        (self.files / "saved.tar").write_bytes(oci.tar_bytes(archives.docker_save([(["saved:1"], saved[0]), (["saved:2"], saved[1])])))
        (self.files / "tree.tar").write_bytes(oci.tar_bytes([folder("d"), file("d/f", os.urandom(50_000))]))

    def _move_tags(self) -> None:
        for number in range(3):
            oci.push(self.registry, f"soak/{number}", "1", self.random.choice(self.images))

    def _words(self) -> list[str]:
        choose = self.random.choice
        image = choose([*(f"{self.registry.host}/soak/{number}:1" for number in range(3)), "tagged/0:1", "tagged/1:1", "saved:1", "tree:1"])
        name = f"c{self.random.randrange(6)}"
        pulled = f"{self.registry.host}/soak/{self.random.randrange(3)}:1"
        return choose([
            ["pull", pulled], ["pull", pulled], ["pull", pulled], ["create", image], ["create", f"--name={name}", image],
            ["create", f"--name={name}", image], ["rm", name], ["rm", "-f", name], ["rmi", image], ["rmi", "-f", image],
            ["tag", image, f"tagged/{self.random.randrange(2)}:1"], ["verify", image], ["verify", pulled],
            ["load", "-i", f"{self.files}/saved.tar"], ["import", f"{self.files}/tree.tar", "tree:1"],
            ["import", "--tocontainer", f"--name={name}", f"{self.files}/tree.tar"], ["name", name, f"c{self.random.randrange(6)}"],
            ["rename", name, f"c{self.random.randrange(6)}"], ["rmname", name], ["protect", choose([name, image])],
            ["unprotect", choose([name, image])], ["unprotect", choose([name, image])], ["setup", "--execmode=P2", name],
            ["save", image], ["images", "-l"], ["ps", "-m"]])

    def _ended(self, process: subprocess.Popen, words: list[str], killed: bool) -> None:
        _, err = process.communicate(timeout=HANG_LIMIT)
        if killed:
            self.counts["killed"] += 1
            return
        self.counts["done" if process.returncode == 0 else "refused"] += 1
        lines = [line for line in err.decode(errors="replace").splitlines() if line.startswith("Error: ")]
        good = process.returncode == 0 or process.returncode == 1 and all(EXPECTED.search(line) for line in lines)
        if not good:
            self.wrong.append(f"{' '.join(words)}: status {process.returncode}: {err.decode(errors='replace')}")

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        running: list[tuple[subprocess.Popen, list[str]]] = []
        while time.monotonic() < end or running:
            if time.monotonic() < end and len(running) < self.processes:
                words = self._words()
                running.append((self.udocker.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL), words))
                self.counts["started"] += 1
                if self.counts["started"] % 200 == 0:
                    self._move_tags()
            if running and self.random.random() < 0.2:
                process, words = running.pop(self.random.randrange(len(running)))
                process.kill()
                self._ended(process, words, killed=process.wait() < 0)
            for entry in [entry for entry in running if entry[0].poll() is not None]:
                running.remove(entry)
                self._ended(*entry, killed=False)
            time.sleep(0.003)

    def check(self) -> list[str]:
        """What is wrong at the end."""
        u = self.udocker
        for path in (u.top / ".state").rglob("*"):
            os.utime(path, (0, 0), follow_symlinks=False)  # a day later
        steady = f"{self.registry.host}/soak/steady:1"
        u.ok("pull", steady)
        u.ok("rm", u.create(steady))
        images = [line.split()[0] for line in u.ok("images").lines[1:]]
        faults = [str(outcome) for outcome in (u.run("verify", image) for image in images) if outcome.status != 0]
        ids = set(u.ok("ps", "--format={{.ID}}").lines)
        for entry in (u.top / "containers").iterdir():
            whole = entry.readlink().name in ids if entry.is_symlink() else entry.name in ids and (entry / "ROOT").is_dir() and (entry / "container.json").is_file()
            if not whole:
                faults.append(f"left over: {entry}")
        needed = {link.readlink().name for link in (u.top / "repos").rglob("*") if link.is_symlink()}
        found = {path.name for path in (u.top / "layers").iterdir()}
        faults += [f"layers: missing {needed - found}, left over {found - needed}"] if needed != found else []
        faults += [f"left over: {path}" for path in (u.top / "repos").rglob("*") if path.is_dir() and not any(path.iterdir())]
        faults += [f"left over: {path}" for path in (u.top / ".state").rglob("*")
                   if path.parent.name != "manifests" and path.name not in ("repos", "layers", "containers", "manifests")]
        return self.wrong + faults

    def summary(self) -> str:
        return ", ".join(f"{self.counts[word]} {word}" for word in ("started", "done", "refused", "killed"))

    def stop(self) -> None:
        self.registry.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--processes", type=int, default=20)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    executable = pathlib.Path(os.environ.get("UDOCKER_EXECUTABLE") or PROJECT / "build/release/udocker")
    with tempfile.TemporaryDirectory() as folder_:
        soak = Soak(executable, pathlib.Path(folder_), options.seed, options.processes)
        try:
            soak.run(options.minutes * 60)
            faults = soak.check()
        finally:
            soak.stop()
    print(soak.summary())
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
