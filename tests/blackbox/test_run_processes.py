"""run: processes, threads and signals are as natively. The programs say what they saw; both runs must agree."""
from __future__ import annotations

import os
import pathlib
import signal

import pytest

from compared import assert_same

BOTH = pytest.mark.parametrize("abi", ["x86_64", pytest.param("i386", marks=pytest.mark.requires("ia32"))])


@BOTH
@pytest.mark.parametrize("name", ["clones", "signals", "filters", "families"])
def test_as_natively(programs, box, tmp_path, abi, name):
    (box.root / "tmp" / f"{name}-{abi}").mkdir()
    native = programs.natively(name, abi, tmp_path)
    assert native[1] == 0, native
    assert_same(native, programs.in_guest(box, name, abi, f"/tmp/{name}-{abi}"))


# Without a pipe or a folder of the machine's own, core files lie in the process' current directory.
@BOTH
def test_core_files(programs, box, tmp_path, abi):
    (box.root / "tmp" / f"cores-{abi}").mkdir()
    native = programs.natively("cores", abi, tmp_path)
    assert native[1] == -signal.SIGSEGV, native
    assert_same(native, programs.in_guest(box, "cores", abi, f"/tmp/cores-{abi}"))


def files_in(*folders: pathlib.Path) -> list[str]:
    return sorted(str(path) for folder in folders for path in folder.rglob("*"))


def test_a_killed_udocker_leaves_nothing(fresh_box, tmp_path):
    """No process, no file in the folder for temporary ones, no lock that is held. The mount point that the image lacks makes udocker have files of its own."""
    (tmp_path / "volume").mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    repository = fresh_box.udocker.top
    fresh_box.ok("true")
    before = files_in(repository)
    run = fresh_box.start("sh", "-c", "(setsid sleep 1000 &) ; sleep 1000 & sh -c 'kill -STOP $$' & echo ready; exec sleep 1000",
                          options=(f"--volume={tmp_path / 'volume'}:/data",), env={"TMPDIR": str(temporary)})
    assert run.stdout.readline() == b"ready\n"
    run.kill()
    assert run.stdout.read() == b"", "the pipe ends: nobody is left who holds it"
    run.wait()
    assert files_in(temporary) == []
    fresh_box.ok("true")
    assert files_in(repository) == before, "the file of the lock, which nobody held any more, went with the next run"
