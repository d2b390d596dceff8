"""Full disks, disks with errors and kill -9 in the middle of each command that changes the repository: one call of each
command is disturbed in each way. `tools/conformance store` takes all calls."""
import random

import pytest

from faults import KINDS, Fault
from scene import CASES, Scene


@pytest.fixture(scope="module")
def fault(scene: Scene, programs) -> Fault:
    return Fault(scene, programs.build("inject", "x86_64"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_one_call(fault, name, kind):
    calls = fault.calls(name, kind)
    if calls != 0:  # what needs no room cannot fail on a full disk
        fault.check(name, kind, random.Random(name + kind).randint(1, calls))
