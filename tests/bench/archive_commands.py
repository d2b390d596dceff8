"""What the commands of archives and containers cost: GNU tar, cp and rm doing the same bytes."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import random
import statistics
import subprocess
import tarfile
from typing import Callable

from product import Udocker

FILES = 50_000
BYTES = 1_000_000_000
PER_FOLDER = 25

Measure = Callable[[Callable[[], None]], "object"]


def make_tree(archive: pathlib.Path) -> None:
    """An archive of a tree of that many files and bytes: sizes as in systems, most of them small, some large."""
    chance = random.Random(1)
    sizes = [int(chance.paretovariate(1.1) * 1000) for _ in range(FILES)]
    sizes = [min(size, 30_000_000) for size in sizes]
    scale = BYTES / sum(sizes)
    noise = chance.randbytes(1 << 20)
    with tarfile.open(archive, "w") as tar:
        for number, size in enumerate(sizes):
            if number % PER_FOLDER == 0:
                folder = f"usr/share/{number // 1000:02}/{number // PER_FOLDER}"
                info = tarfile.TarInfo(folder)
                info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, 1_700_000_000
                tar.addfile(info)
            info = tarfile.TarInfo(f"{folder}/file{number}")
            info.size, info.mode, info.mtime = int(size * scale), 0o644, 1_700_000_000
            tar.addfile(info, Noise(noise, info.size))


class Noise:
    """That many bytes of noise."""

    def __init__(self, noise: bytes, size: int):
        self.noise, self.left = noise, size

    def read(self, size: int) -> bytes:
        size = min(size, self.left, len(self.noise))
        self.left -= size
        return self.noise[:size]


@dataclasses.dataclass
class Place:
    """The files of one round."""

    top: pathlib.Path
    archive: pathlib.Path  # of the tree
    saved: pathlib.Path    # of an image with the tree as its layer

    def __post_init__(self) -> None:
        self.top.mkdir()
        self.product = Udocker(pathlib.Path(os.environ["UDOCKER_EXECUTABLE"]), self.top / "home")
        self.product.ok("images")


def quiet(*words: str | os.PathLike, env: dict[str, str] | None = None) -> None:
    subprocess.run([os.fspath(word) for word in words], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=env)


@dataclasses.dataclass
class Row:
    """One of our commands, and what does the same bytes."""

    name: str
    ours: Callable[[], None]
    peers: dict[str, Callable[[], None]]


def rows_of(place: Place) -> list[Row]:
    """In an order in which each finds what it needs."""
    top = place.top

    def ours(*words: str | os.PathLike) -> Callable[[], None]:
        return lambda: quiet(*place.product.command("-q", *words), env=place.product.environment)

    def shell(script: str) -> Callable[[], None]:
        return lambda: quiet("sh", "-ec", f"cd $0; {script}", top, place.archive, place.saved)

    # Our import and load compute the digest (OpenSSL's, with the processor's instructions) and end when the disk has the
    # bytes: so do those of their peers that do the same work.
    return [
        Row("import --tocontainer", ours("import", "--tocontainer", "--name=tree", place.archive),
            {"tar -x": shell("mkdir tree; tar -C tree -xf $1")}),
        Row("export", ours("export", "-o", top / "exported", "tree"), {"tar -c": shell("tar -C tree -cf packed .")}),
        Row("clone", ours("clone", "--name=copy", "tree"), {"cp -a": shell("cp -a tree copy")}),
        Row("import", ours("import", place.archive, "imported:1"),
            {"cp": shell("cp $1 copied"),
             "cp, digest, sync": shell("cp $1 copied-too; openssl dgst -sha256 copied-too; sync copied-too")}),
        Row("save", ours("save", "-o", top / "saved", "imported:1"), {"tar -c": shell("tar -cf packed-image copied")}),
        Row("load", ours("load", "-i", place.saved, "loaded"),
            {"tar -x": shell("mkdir loaded; tar -C loaded -xf $2"),
             "tar -x, digest, sync": shell("mkdir loaded-too; tar -C loaded-too -xf $2; openssl dgst -sha256 loaded-too/*/layer.tar; "
                                           "sync loaded-too/*/layer.tar")}),
    ]


def removal_of(place: Place) -> Row:
    return Row("rm", lambda: quiet(*place.product.command("-q", "rm", "copy"), env=place.product.environment),
               {"rm -r": lambda: quiet("rm", "-r", place.top / "copy")})


def forget_archives(place: Place) -> None:
    """The large files of a round, to have room for the next one; the trees stay to the end."""
    quiet("sh", "-ec", "cd $0; rm -r exported packed copied copied-too saved packed-image loaded loaded-too", place.top)
    for image in ("imported:1", "loaded:1"):
        place.product.ok("rmi", image)


def compare(scratch: pathlib.Path, rounds: int, measure: Measure) -> None:
    archive, saved = scratch / "tree.tar", scratch / "image.tar"
    make_tree(archive)
    maker = Udocker(pathlib.Path(os.environ["UDOCKER_EXECUTABLE"]), scratch / "maker")
    maker.ok("import", archive, "big:1")
    maker.ok("save", "-o", saved, "big:1")
    places = []
    found: dict[tuple[str, str], list[tuple]] = {}

    def run(rows: list[Row], turn: int) -> None:
        for row in rows:
            programs = {"": row.ours, **row.peers}
            # Who begins changes from round to round.
            order = list(programs) if turn % 2 == 0 else list(reversed(programs))
            samples = {}
            for name in order:
                os.sync()  # what the last one left to write is not this one's
                samples[name] = measure(programs[name])
            for peer in row.peers:
                found.setdefault((row.name, peer), []).append((samples[""], samples[peer]))

    for turn in range(rounds):
        place = Place(scratch / f"round-{turn}", archive, saved)
        places.append(place)
        run(rows_of(place), turn)
        forget_archives(place)
    # At the end: ext4 passes over deleted inodes one by one for minutes.
    for turn, place in enumerate(places):
        run([removal_of(place)], turn)
    report(found, rounds)


def report(found: dict[tuple[str, str], list[tuple]], rounds: int) -> None:
    print(f"archives and containers, a tree of {BYTES / 1e9:.0f} GB and {FILES} files, medians of {rounds} rounds, ratios to GNU's:")
    for (name, peer), samples in found.items():
        cpu, wall = ([statistics.median(getattr(sample[side], what) for sample in samples) for side in (0, 1)] for what in ("cpu", "wall"))
        ratios = [statistics.median(getattr(sample[0], what) / getattr(sample[1], what) for sample in samples) for what in ("cpu", "wall")]
        print(f"  {name:21} CPU {cpu[0]:6.2f} s, {peer:20} {cpu[1]:6.2f} s: {ratios[0]:5.2f}   wall {wall[0]:6.2f} s, {wall[1]:6.2f} s: {ratios[1]:5.2f}",
              flush=True)
