"""run: processes, threads and signals are as natively. The programs say what they saw; both runs must agree."""
from __future__ import annotations

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
