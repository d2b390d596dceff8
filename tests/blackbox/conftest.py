"""Fixtures of the black-box tests. They run as an ordinary user; ./tools/test arranges for that."""
from __future__ import annotations

import os
import pathlib
import shlex
import signal

import pytest

import archives
import images
from compared import Programs
from guests import Container, Guests
from product import Udocker
from registry import Credentials, Registry, make_tls
from requirements import unmet
from scene import Scene

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: left out by ./tools/test --quick")
    config.addinivalue_line("markers", "requires(name): skipped where the probe of that line in tests/skips.txt fails")
    # What the tests start gets the signals as a shell's commands get them, though nohup, or the starter of the test
    # processes, ignores some.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if os.geteuid() == 0:
        pytest.exit("the product is not run as root; use ./tools/test --blackbox", returncode=2)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("requires"):
        for name in mark.args:
            if reason := unmet(name):
                pytest.skip(f"{name}: {reason}")


@pytest.fixture(scope="session")
def executable() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("UDOCKER_EXECUTABLE") or PROJECT / "build/release/udocker")
    assert path.is_file(), f"{path} is missing: cmake --preset release && cmake --build --preset release"
    return path


@pytest.fixture
def udocker(executable: pathlib.Path, tmp_path: pathlib.Path) -> Udocker:
    """The product with an empty home."""
    return Udocker(executable, tmp_path / "home")


@pytest.fixture(scope="session")
def cache() -> pathlib.Path:
    """Where the layouts made by images.py are."""
    return images.default_cache()


@pytest.fixture(scope="session")
def layout(cache: pathlib.Path):
    """layout(name): the OCI layout of one of the images of images.py; made now if need be."""
    return lambda name: images.make(name, cache)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory):
    """A plain HTTP registry, empty at first; tests use repository names of their own."""
    with_registry = Registry(tmp_path_factory.mktemp("registry")).start()
    yield with_registry
    with_registry.stop()


@pytest.fixture(scope="session")
def tls_registry(tmp_path_factory: pytest.TempPathFactory):
    """A registry with TLS, its own authority, and a user."""
    folder = tmp_path_factory.mktemp("tls-registry")
    with_tls = Registry(folder, make_tls(folder / "tls"), Credentials("someone", "se:cret word")).start()
    yield with_tls
    with_tls.stop()


@pytest.fixture(scope="session")
def pushed(registry: Registry, layout):
    """pushed(name): the reference of one of the images of images.py in the plain registry."""
    known: dict[str, str] = {}

    def get(name: str) -> str:
        if name not in known:
            known[name] = registry.copy_from(layout(name), f"guests/{name}")
        return known[name]
    return get


@pytest.fixture(scope="session")
def guests(executable: pathlib.Path, tmp_path_factory: pytest.TempPathFactory, registry: Registry, layout, pushed) -> Guests:
    """A repository that the tests of `run` share, with containers made when they are first asked for."""
    return Guests(Udocker(executable, tmp_path_factory.mktemp("guests") / "home"), registry, layout, pushed)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The programs that run natively and in guests."""
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture
def box(guests: Guests) -> Container:
    """The shared busybox container, for tests that leave its tree as it is."""
    return guests.shared("busybox")


@pytest.fixture
def fresh_box(guests: Guests):
    """A busybox container that the test may change; deleted afterwards."""
    container = guests.fresh("busybox")
    yield container
    guests.udocker.run("rm", "-f", container.id)


@pytest.fixture(scope="session")
def scene(executable: pathlib.Path, registry: Registry, tmp_path_factory: pytest.TempPathFactory):
    """A repository with something of everything, for tests that disturb the commands that change it."""
    with_repository = Scene(executable, registry, tmp_path_factory.mktemp("scene"))
    yield with_repository
    with_repository.close()


@pytest.fixture
def podman(tmp_path: pathlib.Path):
    (tmp_path / "podman").mkdir()
    with_storage = archives.Podman(tmp_path / "podman")
    yield with_storage
    with_storage.stop()


SMALL_DISK = """
mount -t tmpfs -o size=16m none "$UDOCKER_DIR" || exit 99
while read -r line; do
  eval "\"$0\" $line"
  echo "status $?"
done
"""


@pytest.fixture
def on_small_disk(udocker: Udocker):
    """on_small_disk(words, ..): runs commands one after the other with their repository on a disk of 16 MiB, which is
    empty at first; after what each prints comes a line with its status."""
    def run(*commands: list[str]):
        udocker.top.mkdir()
        lines = "".join(shlex.join(words) + "\n" for words in commands)
        prefix = ["unshare", "--user", "--map-current-user", "--mount", "--keep-caps", "bash", "-c", SMALL_DISK]
        return udocker.run(prefix=prefix, stdin=lines.encode())
    return run


@pytest.fixture
def image(udocker, pushed):
    """A busybox image in the repository."""
    reference = pushed("busybox")
    udocker.ok("pull", reference)
    return reference
