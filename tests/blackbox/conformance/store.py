"""Every call of every command that changes the repository fails, or is its last one. 20 to 40 minutes with two workers."""
import pytest

from faults import KINDS, Fault
from scene import CASES, Scene


@pytest.fixture(scope="module")
def fault(scene: Scene, programs) -> Fault:
    return Fault(scene, programs.build("inject", "x86_64"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_every_call(fault, name, kind):
    first = 1
    while fault.check(name, kind, first):
        first += 1
    assert first > 1 or name == "unprotect", "only this needs no room"
