"""Random file-system calls in a container and in a namespace chroot of the same tree (difference.py): a sample that is the
same each time. To search among new ones: ./tools/conformance fuzz."""
import pytest

import difference

SEEDS = range(1, 25)

pytestmark = [pytest.mark.requires("user-namespaces"), pytest.mark.slow]


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


def test_a_difference_is_found_and_made_smaller(world):
    """Without a volume of one side both differ; few calls are enough to show it."""
    reference, engine = world.sides
    engine.binds = lambda: reference.binds()[1:]
    found = world.difference(difference.Case(1, tuple(range(difference.CALLS))))
    assert found is not None
    smaller = world.smaller(found)
    assert len(smaller.case.calls) < 10 and smaller.expected != smaller.got
    assert world.difference(smaller.case) is not None
