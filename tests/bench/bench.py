#!/usr/bin/python3
"""Benchmarks of the executable against its peers; started by ./tools/bench.

CPU is user + system of a whole process tree, memory the largest single process. The programs take turns in each round,
medians are compared. Each round writes to folders of its own, which are deleted at the end: ext4 passes over inodes that
were deleted in the last minutes one by one, which makes creating files several times as expensive, for every program.
"""
from __future__ import annotations

import dataclasses
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))

import images  # noqa: E402
from product import Udocker  # noqa: E402
from registry import Registry  # noqa: E402
import archive_commands  # noqa: E402
import workloads  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
START_REPEATS = 50  # of one start-up sample: the clock of rusage is coarse


@dataclasses.dataclass
class Sample:
    cpu: float
    wall: float
    memory: int  # KiB


def measure(work: Callable[[], None]) -> Sample:
    """Runs `work`, which waits for all the processes that it starts, in a child of its own."""
    reader, writer = os.pipe()
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            work()
            # What was waited for; this Python is no part of it.
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            os.write(writer, f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}".encode())
            os._exit(0)
        except BaseException as error:  # the parent must hear of anything
            print(f"bench.py: {error}", file=sys.stderr)
            os._exit(1)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    wall = time.monotonic() - begin
    with os.fdopen(reader) as answer:
        words = answer.read().split()
    if status != 0:
        raise SystemExit("bench.py: a measured command failed")
    return Sample(float(words[0]), wall, int(words[1]))


def quiet(*words: str | os.PathLike, **options) -> None:
    subprocess.run([os.fspath(word) for word in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                   stdin=subprocess.DEVNULL, **options)


def children_cpu(work: Callable[[], None]) -> float:
    """CPU seconds of the processes that `work` waits for, without what Python itself uses."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def startup(scratch: pathlib.Path) -> None:
    product = Udocker(pathlib.Path(os.environ["UDOCKER_EXECUTABLE"]), scratch / "startup")
    product.ok("ps")
    commands = {"no-op": [os.environ["NO_OP"]], "version": product.command("version"), "ps": product.command("ps")}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, words in commands.items():
            def repeat() -> None:
                for _ in range(START_REPEATS):
                    quiet(*words, env=product.environment)
            found[name].append(children_cpu(repeat) / START_REPEATS * 1000)
    floor = statistics.median(found["no-op"])
    print(f"start-up, CPU ms: a static program that does nothing {floor:.2f}")
    for name in ("version", "ps"):
        print(f"  udocker {name:8} {statistics.median(found[name]):.2f}, {statistics.median(found[name]) - floor:.2f} above it")


def unpack(scratch: pathlib.Path) -> None:
    layout = images.make("big", images.default_cache())
    with_registry = Registry(scratch / "registry").start()
    try:
        reference = with_registry.copy_from(layout, "bench/big")
        compare_unpacking(scratch, reference, with_registry)
    finally:
        with_registry.stop()


def compare_unpacking(scratch: pathlib.Path, reference: str, with_registry: Registry) -> None:
    blob = max(with_registry.blobs.rglob("data"), key=lambda path: path.stat().st_size)
    url = f"{with_registry.url}/v2/bench/big/blobs/sha256:{blob.parent.name}"

    def ours(place: pathlib.Path) -> None:
        product = Udocker(pathlib.Path(os.environ["UDOCKER_EXECUTABLE"]), place)
        quiet(*product.command("-q", "pull", reference), env=product.environment)
        quiet(*product.command("-q", "create", reference), env=product.environment)

    def skopeo_umoci(place: pathlib.Path) -> None:
        env = {**os.environ, "TMPDIR": str(place), "XDG_RUNTIME_DIR": str(place)}
        quiet("skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", f"docker://{reference}",
              f"oci:{place}/layout:latest", env=env)
        quiet("umoci", "unpack", "--rootless", "--image", f"{place}/layout:latest", place / "bundle", env=env)

    def curl_tar(place: pathlib.Path) -> None:
        (place / "root").mkdir()
        quiet("sh", "-c", 'curl -sSf "$1" | gzip -dc | tar -C "$2" --exclude="dev/*" -xf -', "sh", url, place / "root")

    programs = {"udocker": ours, "skopeo + umoci": skopeo_umoci, "curl | gzip | tar": curl_tar}
    samples: dict[str, list[Sample]] = {name: [] for name in programs}
    for round_ in range(ROUNDS):
        for name, program in programs.items():
            place = pathlib.Path(tempfile.mkdtemp(dir=scratch, prefix=f"unpack-{round_}-"))
            samples[name].append(measure(lambda: program(place)))
    report_unpacking(samples, blob.stat().st_size)


def report_unpacking(samples: dict[str, list[Sample]], size: int) -> None:
    cpu = {name: statistics.median(sample.cpu for sample in rows) for name, rows in samples.items()}
    print(f"pull + create of a layer of {size / 1e6:.0f} MB compressed, medians of {ROUNDS} rounds:")
    for name, rows in samples.items():
        wall = statistics.median(sample.wall for sample in rows)
        memory = max(sample.memory for sample in rows) / 1024
        print(f"  {name:18} CPU {cpu[name]:6.2f} s ({cpu[name] / cpu['udocker']:.2f} x udocker), wall {wall:6.2f} s, "
              f"largest process {memory:.0f} MB")
    fastest = min(value for name, value in cpu.items() if name != "udocker")
    print(f"  udocker needs {cpu['udocker'] / fastest:.2f} of the CPU of the faster one")


def guests(scratch: pathlib.Path) -> None:
    product = Udocker(pathlib.Path(os.environ["UDOCKER_EXECUTABLE"]), scratch / "guests")
    with_registry = Registry(scratch / "registry").start()
    try:
        reference = with_registry.copy_from(images.make("big", images.default_cache()), "bench/big")
        product.ok("-q", "pull", reference)
    finally:
        with_registry.stop()
    container = product.create(reference)
    workloads.compare(product.root_of(container),
                      lambda line: product.command("-q", "run", "--workdir=/", container, "/bin/sh", "-c", line),
                      product.environment, ROUNDS, children_cpu)


def archives(scratch: pathlib.Path) -> None:
    archive_commands.compare(scratch, ROUNDS, measure)


BENCHMARKS = {"startup": startup, "unpack": unpack, "guests": guests, "archives": archives}


def main() -> None:
    chosen = sys.argv[1:] or list(BENCHMARKS)
    for name in chosen:
        if name not in BENCHMARKS:
            raise SystemExit(f"bench.py: no benchmark {name}: {' '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory(prefix="udocker-bench.") as scratch:
        for name in chosen:
            BENCHMARKS[name](pathlib.Path(scratch))


main()
