#!/usr/bin/python3
"""Random file-system calls, made by the same program in a container and in a namespace chroot of the same tree; what
they return and the trees that they leave must be equal. Started by ./tools/conformance fuzz, and by test_difference.py.

    difference.py [--minutes N] [--seed N] [--calls RANGES] [--user] [--jobs N]

Without --seed it goes through random seeds until the time is over; the first difference is made smaller and printed with
the words that show it again. Programs serve calls themselves from the first one on (mode P1); with UDOCKER_FAST_AFTER=0 the
tracer serves all (mode P2). Exit status: 0 no difference, 1 a difference, 75 the package mirror failed.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import images
from guests import Container
from product import HANG_LIMIT, Udocker
from registry import Registry

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE / "programs/calls"
CALLS = 400  # of one seed
CALLS_SHOWN = 30
VOLUMES = {"vol": "", "ro": ":ro", "vol/in": "", "bound": "", "ro-file": ":ro"}  # place: access, outer ones first
HOST_OF = {"vol/in": "inner"}  # where a volume is on the host, if not at a place of its own name
OWN_TREES = ("/w", "/a", "/b", "/c", "/d", "/e", "/f")  # of the container; the others are volumes


def compile_program(folder: pathlib.Path) -> pathlib.Path:
    """Linked statically, so that it runs in any tree."""
    program = folder / "calls"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-static", "-o", program, *sorted(PROGRAM.glob("*.c"))], check=True)
    return program


def old_kernel() -> bool:
    return tuple(map(int, os.uname().release.split("-")[0].split(".")[:2])) < (6, 10)


@dataclasses.dataclass(frozen=True)
class Case:
    """What is run: call numbers that all follow from the seed."""

    seed: int
    calls: tuple[int, ...]
    user: bool = False

    @property
    def ranges(self) -> str:
        """The numbers as the program takes them: 0-5,7."""
        runs = []
        for number in self.calls:
            if runs and number == runs[-1][1] + 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)

    def words(self) -> list[str]:
        return ["run", str(self.seed), self.ranges, *(["user"] if self.user else []), *(["old-kernel"] if old_kernel() else []),
                *OWN_TREES, *(f"/{place}" for place in VOLUMES)]

    def __str__(self) -> str:
        return f"--seed={self.seed} --calls={self.ranges}" + (" --user" if self.user else "")


class Side:
    """One of the two places: a root tree with the program in it and the host's side of the volumes."""

    def __init__(self, root: pathlib.Path, volumes: pathlib.Path, program: pathlib.Path):
        self.root, self.volumes, self.program = root, volumes, program
        for place in VOLUMES:
            if "/" not in place and not (root / place).exists():
                (root / place).touch() if self._is_file(place) else (root / place).mkdir()
        self.names = set(os.listdir(root)) - {"w"}

    @staticmethod
    def _is_file(place: str) -> bool:
        return place in ("bound", "ro-file")

    def host_of(self, place: str) -> pathlib.Path:
        return self.volumes / HOST_OF.get(place, place)

    def binds(self) -> list[str]:
        return [f"{self.host_of(place)}:/{place}{access}" for place, access in VOLUMES.items()]

    def reset(self) -> None:
        """The tree that every case begins with."""
        remove(self.volumes)
        self.root.chmod(0o755)
        for name in set(os.listdir(self.root)) - self.names:
            remove(self.root / name)
        (self.root / "bin/calls").unlink(missing_ok=True)  # the case before may have changed it by /proc/self/exe
        shutil.copy(self.program, self.root / "bin/calls")
        for place in VOLUMES:
            host = self.host_of(place)
            if self._is_file(place):
                host.write_text(f"content of {place}\n")
            else:
                host.mkdir(parents=True)
                fill(host)
        (self.volumes / "vol/in").mkdir()
        (self.root / "w").mkdir()
        fill(self.root / "w")
        chain = self.root / "w/chain"
        chain.mkdir()
        for i in range(1, 45):
            (chain / str(i)).symlink_to(str(i + 1) if i < 44 else "../f")

    def run(self, words: list[str], user: bool) -> list[str]:
        done = subprocess.run(self.command(words, user), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.environment(), timeout=HANG_LIMIT, check=False)
        lines = done.stdout.decode(errors="backslashreplace").splitlines()
        return lines if done.returncode == 0 else [*lines, f"ended with status {done.returncode}"]

    def command(self, words: list[str], user: bool) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin"}


class Namespaces(Side):
    def command(self, words: list[str], user: bool) -> list[str]:
        ids = f"{os.getuid()}:{os.getgid()}" if user else "0:0"
        binds = [word for bind in ["/proc:/proc", "/dev:/dev", *self.binds()] for word in ("-v", bind)]
        return [sys.executable, "-I", str(HERE / "namespaces.py"), "-u", ids, *binds, str(self.root), "/bin/calls", *words]


class Engine(Side):
    def __init__(self, container: Container, volumes: pathlib.Path, program: pathlib.Path):
        super().__init__(container.root, volumes, program)
        self.container = container

    def reset(self) -> None:
        (self.container.root.parent / "owners").unlink(missing_ok=True)
        super().reset()

    def command(self, words: list[str], user: bool) -> list[str]:
        options = [f"--volume={bind}" for bind in self.binds()]
        if user:
            options.append(f"--user={os.getuid()}:{os.getgid()}")
        udocker = self.container.udocker
        return [str(word) for word in udocker.command("-q", "run", *options, self.container.id, "/bin/calls", *words)]

    def environment(self) -> dict[str, str]:
        return {**self.container.udocker.environment, "UDOCKER_FAST_AFTER": os.environ.get("UDOCKER_FAST_AFTER", "1")}


def fill(folder: pathlib.Path) -> None:
    (folder / "a/b").mkdir(parents=True)
    (folder / "c").mkdir()
    (folder / "f").write_text("a file\n")
    (folder / "a/a").write_text("another\n")
    (folder / "l").symlink_to("a")
    (folder / "d").symlink_to("/w/c/../f")
    (folder / "a/e").symlink_to("../../w")


def remove(path: pathlib.Path) -> None:
    """Whatever it is and whatever its modes are."""
    if path.is_symlink():  # chmod -R would follow it, perhaps to the host's root
        return path.unlink()
    for _ in range(3):
        subprocess.run(["chmod", "-R", "u+rwX", path], stderr=subprocess.DEVNULL, check=False)
        done = subprocess.run(["rm", "-rf", path], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            return None
    raise RuntimeError(done.stderr + subprocess.run(["ls", "-laR", path], stdout=subprocess.PIPE, text=True).stdout[-2000:])


@dataclasses.dataclass
class Difference:
    case: Case
    calls: list[str]  # what was called before, with the results
    before: list[str]  # the last lines that were equal
    expected: str
    got: str
    in_tree: bool

    def __str__(self) -> str:
        where = "the trees that it left differ" if self.in_tree else "the calls differ"
        told = [*(self.calls[-CALLS_SHOWN:] if self.in_tree else []), *self.before]
        return "\n".join([f"{where}; again: ./tools/conformance fuzz {self.case}", *(f"    {line}" for line in told),
                          f"  - {self.expected}   (namespace)", f"  + {self.got}   (container)"])

    def call(self) -> int | None:
        word = self.expected.split(" ", 1)[0]
        return int(word) if not self.in_tree and word.isdigit() else None


class World:
    """Both sides; one case at a time."""

    def __init__(self, container: Container, folder: pathlib.Path, program: pathlib.Path):
        folder.mkdir(parents=True)
        reference = folder / "root"
        subprocess.run(["cp", "-a", container.root, reference], check=True)
        self.sides = Namespaces(reference, folder / "of-namespaces", program), Engine(container, folder / "of-engine", program)

    def difference(self, case: Case) -> Difference | None:
        for side in self.sides:
            side.reset()
        expected, got = (side.run(case.words(), case.user) for side in self.sides)
        calls = [line for line in expected if line[:1].isdigit()]
        if expected != got:
            return self._first(case, calls, expected, got)
        # In runs of their own, so that what is remembered between runs shows too. Of volumes nothing is.
        expected, got = (side.run(["dump", *(["linked"] if case.seed % 4 != 1 else []), *OWN_TREES], case.user) for side in self.sides)
        return self._first(case, calls, expected, got) if expected != got else None

    @staticmethod
    def _first(case: Case, calls: list[str], expected: list[str], got: list[str]) -> Difference:
        pairs = itertools.zip_longest(expected, got, fillvalue="(nothing)")
        at, pair = next((i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1])
        return Difference(case, calls, expected[max(0, at - 8):at], *pair, not pair[0][:1].isdigit())

    def smaller(self, found: Difference) -> Difference:
        """The same difference with as few calls as can be found by leaving out ever smaller pieces."""
        last = found.call()
        calls = [number for number in found.case.calls if last is None or number <= last]
        piece = max(1, len(calls) // 2)
        best = dataclasses.replace(found, case=dataclasses.replace(found.case, calls=tuple(calls)))
        while True:
            at = 0
            while at < len(calls):
                fewer = calls[:at] + calls[at + piece:]
                if last is not None and last not in fewer:
                    at += piece
                    continue
                case = dataclasses.replace(found.case, calls=tuple(fewer))
                other = self.difference(case)
                if other is not None and other.in_tree == found.in_tree and (last is None or other.call() == last):
                    calls, best = fewer, other
                else:
                    at += piece
            if piece == 1:
                return best
            piece = max(1, piece // 2)


def worlds(udocker: Udocker, reference: str, folder: pathlib.Path, count: int) -> list[World]:
    folder.mkdir(parents=True, exist_ok=True)
    program = compile_program(folder)
    return [World(Container(udocker, udocker.create(reference)), folder / f"world-{i}", program) for i in range(count)]


def search(places: list[World], give_up: float, report) -> int:
    """Random seeds until the moment `give_up`; returns the number of cases. `report` gets each difference, in words, and
    says whether to go on."""
    cases = 0
    stop = threading.Event()
    lock = threading.Lock()

    def work(world: World) -> None:
        nonlocal cases
        while time.monotonic() < give_up and not stop.is_set():
            case = Case(random.SystemRandom().randrange(1 << 48), tuple(range(CALLS)), random.random() < 0.3)
            found = world.difference(case)
            if found is not None:
                found = world.smaller(found)
            with lock:
                cases += 1
                if found is not None and not report(found):
                    stop.set()

    with concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
        for done in [pool.submit(work, world) for world in places]:
            done.result()
    return cases


def parse_ranges(text: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for word in text.split(","):
        first, _, last = word.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return tuple(numbers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--calls", type=parse_ranges, default=tuple(range(CALLS)))
    parser.add_argument("--user", action="store_true", help="as an ordinary user, not as root")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep-going", action="store_true", help="report further differences")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        registry = Registry(folder / "registry").start()
        try:
            udocker = Udocker(pathlib.Path(os.environ["UDOCKER_EXECUTABLE"]), folder / "home")
            reference = registry.copy_from(images.make("busybox", images.default_cache()), "fuzz/busybox")
            udocker.ok("-q", "pull", reference)
            places = worlds(udocker, reference, folder / "worlds", 1 if options.seed is not None else options.jobs)
            return show(places, options)
        finally:
            registry.stop()
            subprocess.run(["chmod", "-R", "u+rwX", scratch], stderr=subprocess.DEVNULL, check=False)


def show(places: list[World], options: argparse.Namespace) -> int:
    if options.seed is not None:
        found = places[0].difference(Case(options.seed, options.calls, options.user))
        print(places[0].smaller(found) if found else "no difference")
        return 1 if found else 0
    differences = []

    def report(found: Difference) -> bool:
        differences.append(found)
        print(found, flush=True)
        return options.keep_going

    cases = search(places, time.monotonic() + options.minutes * 60, report)
    print(f"{cases} cases, {cases * CALLS} calls, {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
