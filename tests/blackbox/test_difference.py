"""Random file-system calls in a container and in a namespace chroot of the same tree (difference.py): a sample. To search
longer: ./tools/conformance fuzz."""
import time

import pytest

import difference

SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]  # of cases that every run has
SECONDS = 60  # for cases that are new each time

pytestmark = pytest.mark.requires("user-namespaces")


@pytest.fixture
def world(guests, tmp_path):
    (only,) = difference.worlds(guests.udocker, guests.image("busybox"), tmp_path / "worlds", 1)
    yield only
    for side in only.sides:
        side.reset()
    guests.udocker.run("rm", "-f", only.sides[1].container.id)


@pytest.mark.parametrize("user", [False, True], ids=["as-root", "as-a-user"])
def test_known_cases(world, user):
    for seed in SEEDS:
        found = world.difference(difference.Case(seed, tuple(range(difference.CALLS)), user))
        assert found is None, str(world.smaller(found))


@pytest.mark.slow
def test_new_cases(world):
    """What it finds is printed with its seed and the words that show it again."""
    found = []
    difference.search([world], time.monotonic() + SECONDS, lambda one: found.append(str(one)))
    assert not found, found[0]


def test_a_difference_is_found_and_made_smaller(world):
    """Without a volume of one side both differ; few calls are enough to show it."""
    reference, engine = world.sides
    engine.binds = lambda: reference.binds()[1:]
    found = world.difference(difference.Case(1, tuple(range(difference.CALLS))))
    assert found is not None
    smaller = world.smaller(found)
    assert len(smaller.case.calls) < 10 and smaller.expected != smaller.got
    assert world.difference(smaller.case) is not None
