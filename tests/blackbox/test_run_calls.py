"""run: system calls answer as natively, whatever their form. The programs say what they saw; both runs must agree."""
import pytest

from compared import assert_same

BOTH = pytest.mark.parametrize("abi", ["x86_64", pytest.param("i386", marks=pytest.mark.requires("ia32"))])


@BOTH
def test_calls_with_paths(programs, box, tmp_path, abi):
    for folder in (tmp_path, box.root / "tmp"):
        (folder / f"calls-{abi}").mkdir()
    native = programs.natively("calls", abi, tmp_path / f"calls-{abi}")
    assert native[1] == 0 and len(native[0].splitlines()) > 2000
    assert_same(native, programs.in_guest(box, "calls", abi, f"/tmp/calls-{abi}"))


@BOTH
@pytest.mark.parametrize("how", [(), ("socketcall",)], ids=["direct", "socketcall"])
def test_socket_addresses(programs, box, tmp_path, abi, how):
    """The container's root is deep enough for the host's names to be too long for an address."""
    name = "-".join(("sockets", abi, *how))
    for folder in (tmp_path, box.root / "tmp"):
        (folder / name).mkdir()
    native = programs.natively("sockets", abi, tmp_path / name, *how)
    assert native[1] == 0 and len(str(box.root)) + len(f"/tmp/{name}/server") > 108
    assert_same(native, programs.in_guest(box, "sockets", abi, f"/tmp/{name}", *how))


@BOTH
def test_unknown_calls(programs, box, abi):
    assert programs.in_guest(box, "unknown", abi) == ("done\n", 0)


@BOTH
@pytest.mark.parametrize("options", [(), ("--user=root",)], ids=["user", "root"])
def test_what_is_refused(programs, box, abi, options):
    out, status = programs.in_guest(box, "mounts", abi, options=options)
    answers = [line.rsplit(": ", 1)[1] for line in out.splitlines()]
    assert (answers, status) == (["EPERM"] * 13 + ["ENOSYS"] * 3 + ["EPERM"] * 31, 0), out


@BOTH
@pytest.mark.parametrize("name", ["calls", "sockets"])
def test_below_a_container_that_lies_deep(programs, guests, tmp_path, abi, name):
    """Host paths of more than PATH_MAX bytes, for which no call takes the whole path."""
    deep = tmp_path / "guest"
    for _ in range(13):
        deep /= "d" * 200
    deep.mkdir(parents=True)
    (tmp_path / "native").mkdir()
    native = programs.natively(name, abi, tmp_path / "native", "deep")
    assert native[1] == 0
    guest = programs.in_guest(guests.shared("busybox"), name, abi, "/work", "deep", options=(f"--volume={deep}:/work",))
    assert_same(native, guest)
