#!/usr/bin/python3
"""Makes the images that the tests and the demonstration use, as OCI layouts in a cache folder.

    images.py [--cache DIR] NAME...     make what is missing, print one "NAME LAYOUT" line for each

Each layout holds the one tag `latest`. It is made by the tools that people use (mmdebstrap, umoci, compilers of
Debian), once per recipe. As root mmdebstrap works as root, as an ordinary user in a user namespace.
Exit status: 0 done, 75 the package mirror failed, 1 anything else.
"""
from __future__ import annotations

import argparse
import dataclasses
import hashlib
import inspect
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Callable

MIRROR_FAILED = 75
PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class MirrorFailed(Exception):
    """The package mirror did not deliver; says nothing about the product."""


@dataclasses.dataclass
class Recipe:
    """How one image is made: fill(tree or tar) and the configuration options of umoci."""

    fill: Callable[[pathlib.Path], None]
    config: list[str]
    inputs: list[pathlib.Path]

    def key(self) -> str:
        digest = hashlib.sha256(inspect.getsource(self.fill).encode())
        digest.update(repr(self.config).encode())
        for path in self.inputs:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


def run(*command: str | os.PathLike, **options) -> subprocess.CompletedProcess:
    """Runs a command whose failure is an error of the set-up; its output is shown only then."""
    done = subprocess.run([os.fspath(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, errors="replace", **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done


def tar_of_tree(tree: pathlib.Path, tar: pathlib.Path) -> None:
    run("tar", "-C", tree, "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-cf", tar, ".")


def write_accounts(tree: pathlib.Path) -> None:
    """The few accounts that every image of the tests has."""
    (tree / "etc").mkdir(parents=True, exist_ok=True)
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n"
                                     "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
                                     "guest:x:1234:1234:A guest:/home/guest:/bin/sh\n")
    (tree / "etc/group").write_text("root:x:0:\ndaemon:x:1:\nguest:x:1234:\nextra:x:2345:guest\n")
    (tree / "home/guest").mkdir(parents=True)
    (tree / "root").mkdir(mode=0o700)
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)


def fill_busybox(tar: pathlib.Path) -> None:
    """Debian's static busybox, every applet a symbolic link, as the well-known small image has it."""
    with tempfile.TemporaryDirectory(dir=tar.parent) as scratch:
        tree = pathlib.Path(scratch) / "tree"
        (tree / "bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", tree / "bin/busybox")
        for applet in run("/bin/busybox", "--list").stdout.split():
            if applet != "busybox":
                (tree / "bin" / applet).symlink_to("busybox")
        for folder in ("dev", "proc", "sys", "usr/bin", "usr/sbin", "sbin", "var/tmp"):
            (tree / folder).mkdir(parents=True)
        (tree / "usr/bin/env").symlink_to("../../bin/busybox")
        write_accounts(tree)
        tree.chmod(0o755)
        tar_of_tree(tree, tar)


def machine_mirror() -> str:
    """Where this machine gets Debian's main archive from, by apt's own configuration."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    code = release.get("VERSION_CODENAME", "").strip('"')
    for stanza in run(PROJECT / "tools/apt-sources", "deb").stdout.split("\n\n"):
        field = {name.lower(): value.split() for name, _, value in
                 (line.partition(":") for line in stanza.splitlines())}
        if code in field.get("suites", []) and field.get("uris"):
            return field["uris"][0]
    raise RuntimeError("apt is configured for no source of this release of Debian")


def fill_debian(suite: str, packages: str, architecture: str = "amd64") -> Callable[[pathlib.Path], None]:
    def fill(tar: pathlib.Path) -> None:
        """A minimal Debian with some packages, as its makers' tool builds it."""
        mirror = os.environ.get("UDOCKER_TEST_MIRROR") or machine_mirror()
        mode = "root" if os.geteuid() == 0 else "unshare"
        for pause in (3, 10, 30, None):
            try:
                run("mmdebstrap", f"--mode={mode}", "--variant=minbase", f"--include={packages}", "--quiet",
                    f"--architectures={architecture}",
                    "--aptopt=Acquire::Retries 3", suite, tar, mirror, env={**os.environ, "PATH": SEARCH_PATH})
                return
            except RuntimeError as error:
                if pause is None:
                    raise MirrorFailed(f"Debian {suite}: {error}") from error
                print(f"images.py: making Debian {suite} failed, trying again in {pause} s", file=sys.stderr)
                tar.unlink(missing_ok=True)
                time.sleep(pause)
    return fill


def fill_musl(tar: pathlib.Path) -> None:
    """One program linked against musl, with musl's loader, and the same one linked statically."""
    with tempfile.TemporaryDirectory(dir=tar.parent) as scratch:
        tree = pathlib.Path(scratch) / "tree"
        (tree / "bin").mkdir(parents=True)
        (tree / "lib").mkdir()
        source = PROGRAMS / "guest.c"
        run("musl-gcc", "-O1", "-Wall", "-o", tree / "bin/guest", source)
        run("musl-gcc", "-O1", "-Wall", "-static", "-o", tree / "bin/guest-static", source)
        loader = next(pathlib.Path("/lib").glob("ld-musl-*.so.1"))
        shutil.copy(loader, tree / "lib" / loader.name)
        for folder in ("dev", "proc", "sys"):
            (tree / folder).mkdir()
        write_accounts(tree)
        tree.chmod(0o755)
        tar_of_tree(tree, tar)


def fill_go(tar: pathlib.Path) -> None:
    """One Go program without the C library and nothing else but the accounts."""
    with tempfile.TemporaryDirectory(dir=tar.parent) as scratch:
        tree = pathlib.Path(scratch) / "tree"
        (tree / "bin").mkdir(parents=True)
        go = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": f"{scratch}/cache", "GOPATH": f"{scratch}/path",
              "GO111MODULE": "off", "GOFLAGS": ""}
        run("go", "build", "-o", tree / "bin/guest", PROGRAMS / "guest.go", env=go)
        for folder in ("dev", "proc", "sys"):
            (tree / folder).mkdir()
        write_accounts(tree)
        tree.chmod(0o755)
        tar_of_tree(tree, tar)


def debian(suite: str, packages: str = "python3") -> Recipe:
    recipe = Recipe(fill_debian(suite, packages), ["--config.cmd=/bin/bash", f"--config.env=PATH={SEARCH_PATH}"], [])
    recipe.config.append(f"--config.label=suite={suite} packages={packages}")
    return recipe


def debian_i386(suite: str, packages: str) -> Recipe:
    recipe = debian(suite, packages)
    recipe.fill = fill_debian(suite, packages, "i386")
    recipe.config.append("--architecture=386")
    return recipe


RECIPES = {
    "busybox": Recipe(fill_busybox, ["--config.cmd=/bin/sh", "--config.env=PATH=/bin:/usr/bin",
                                     "--config.label=made-by=tests"], [pathlib.Path("/bin/busybox")]),
    "bookworm": debian("bookworm"),
    "bullseye": debian("bullseye"),
    "trixie": debian("trixie"),
    "tools": debian("bookworm", "procps,psmisc,lsof,strace,gdb,bubblewrap"),  # what looks at processes and confines them
    "bookworm-i386": debian_i386("bookworm", "python3,perl,gcc,libc6-dev,file"),
    "conformance": debian("bookworm", "python3,libpython3.11-testsuite,netbase,rpm,dnf,createrepo-c,file"),
    "big": debian("bookworm", "python3,perl,gcc,git,python3-dev"),  # more than 100 MB and 10 000 files, for benchmarks
    "workshop": debian("bookworm", "python3,perl,gcc,libc6-dev,make,git,patch,xz-utils,rsync,cpio,file,ed,bc"),
    "musl": Recipe(fill_musl, ["--config.cmd=/bin/guest", "--config.env=PATH=/bin"], [PROGRAMS / "guest.c"]),
    "go": Recipe(fill_go, ["--config.cmd=/bin/guest", "--config.env=PATH=/bin"], [PROGRAMS / "guest.go"]),
}


def default_cache() -> pathlib.Path:
    """Outside the checkout, and readable for the ordinary user that the tests of root run as."""
    if chosen := os.environ.get("UDOCKER_TEST_CACHE"):
        return pathlib.Path(chosen)
    if os.geteuid() == 0:
        return pathlib.Path("/var/cache/udocker-test")
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "udocker-test"


def layout_of(name: str, cache: pathlib.Path) -> pathlib.Path:
    """Where the layout of an image is, made or not."""
    return cache / f"{name}-{RECIPES[name].key()}"


def make(name: str, cache: pathlib.Path) -> pathlib.Path:
    """Makes an image unless it is there; it gets its place whole or not at all."""
    place = layout_of(name, cache)
    if place.exists():
        return place
    recipe = RECIPES[name]
    cache.mkdir(parents=True, exist_ok=True)
    print(f"images.py: making {name}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".making-") as scratch:
        tar = pathlib.Path(scratch) / "layer.tar"
        recipe.fill(tar)
        layout = pathlib.Path(scratch) / "layout"
        run("umoci", "init", "--layout", layout)
        run("umoci", "new", "--image", f"{layout}:latest")
        run("umoci", "raw", "add-layer", "--image", f"{layout}:latest", tar)
        run("umoci", "config", "--image", f"{layout}:latest", *recipe.config)
        run("umoci", "gc", "--layout", layout)
        run("chmod", "-R", "a+rX", layout)
        try:
            layout.rename(place)
        except OSError:
            if not place.exists():
                raise
    return place


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=pathlib.Path, default=default_cache())
    parser.add_argument("names", nargs="+", choices=sorted(RECIPES), metavar="NAME")
    options = parser.parse_args()
    os.umask(0o022)
    try:
        for name in options.names:
            print(name, make(name, options.cache))
    except MirrorFailed as error:
        print(f"images.py: the package mirror failed, not a test: {error}", file=sys.stderr)
        return MIRROR_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
