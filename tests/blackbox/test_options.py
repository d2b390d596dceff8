"""Options that several commands share, in each of them, and options that are accepted for the sake of older scripts."""
import pytest

import oci
from proxy import Proxy
from registry_front import Front, Upstream

LAYER = oci.tar_layer([oci.file("a", b"x")])
IMAGE = oci.image([LAYER], {"Cmd": ["/a"]})


@pytest.fixture
def asks(udocker, registry):
    """asks(command, option, ..): the command with these options and an image of the registry that has no host in its name."""
    name = "options/shared:v1"
    oci.push(registry, *name.split(":"), IMAGE)

    def run(command: str, *options: str):
        if command == "run":
            # The file is no program: it is the pulling that counts.
            return udocker.fails("run", "--pull=always", *options, name, status=2)
        if command == "verify":
            udocker.ok("pull", f"--registry={registry.url}", name)
            layer = udocker.top / "layers" / LAYER.digest
            layer.chmod(0o644)
            layer.write_bytes(b"damaged")
            outcome = udocker.ok("verify", "--repair", *options, name)
            assert layer.read_bytes() == LAYER.data
            return outcome
        if command == "search":
            return udocker.ok("search", "--list-tags", *options, name.split(":")[0])
        return udocker.ok(*command.split(), *options, name)
    return run


COMMANDS = ["pull", "run", "manifest inspect", "verify"]


@pytest.mark.parametrize("command", [*COMMANDS, "search"])
def test_registry(asks, registry, command):
    asks(command, f"--registry={registry.url}")


@pytest.mark.parametrize("command", COMMANDS)
def test_index_is_accepted_and_not_asked(asks, registry, command):
    """The Python tool asked it for registries of the first version, and with --index alone no registry at all."""
    with Front(Upstream(registry.url)) as front:
        asks(command, f"--index={front.url}", f"--registry={registry.url}")
        assert front.asked() == []


@pytest.mark.parametrize("command", [*COMMANDS, "search"])
def test_httpproxy(asks, registry, command):
    address, port = registry.host.split(":")
    with Proxy({"registry.invalid": (address, int(port))}) as proxy:
        asks(command, f"--httpproxy=socks5h://{proxy.host}", "--registry=http://registry.invalid")
        assert ("socks5", "registry.invalid", 80) in [(kind[:6], host, at) for kind, host, at in proxy.targets]


def test_images_no_trunc_and_all(udocker, pushed):
    udocker.ok("pull", pushed("busybox"))
    assert udocker.ok("images", "--no-trunc", "--all").out == udocker.ok("images").out


def test_create_force_with_a_name_that_is_taken(udocker, pushed):
    udocker.ok("pull", pushed("busybox"))
    first = udocker.create(pushed("busybox"), "--name=taken")
    second = udocker.create(pushed("busybox"), "--name=taken", "--force")
    names = {line.split()[0]: line for line in udocker.ok("ps").lines[1:]}
    assert "['taken']" in names[first] and "taken" not in names[second]


def test_setup_force_sets_the_mode_again(udocker, pushed):
    """For a container that was moved: the recorded path of its tree is that of today."""
    udocker.ok("pull", pushed("busybox"))
    container = udocker.create(pushed("busybox"))
    udocker.ok("setup", "--execmode=P2", container)
    recorded = udocker.top / "containers" / container / "root.path"
    recorded.write_text("/somewhere/else")
    udocker.ok("setup", "--execmode=P2", container)
    assert recorded.read_text() == "/somewhere/else"
    udocker.ok("setup", "--execmode=P2", "--force", container)
    assert recorded.read_text() == str(udocker.root_of(container))
