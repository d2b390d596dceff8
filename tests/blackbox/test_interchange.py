"""What every command leaves on the disk is what the Python tool writes and reads, field by field."""
import base64
import pathlib

import oci
import store_format
from oci import file, folder, symlink, tar_layer
from registry_front import Basic, Front, Upstream
from test_fixture_tree import MADE_AT, python  # noqa: F401  (a fixture)

TREE = [folder("etc"), file("etc/ä b", b"x", mode=0o4755, uid=7), folder("bin"), symlink("bin/l", "../etc/a")]
BASE = tar_layer(TREE)
NEXT = tar_layer([file("etc/next", b"y")])
CONFIG = {"Cmd": ["/bin/x"], "Labels": {"ü": "é / \u20ac \U0001f600", "esc": "\u0001\u007f\"\\"}}


def test_the_check_knows_the_python_tool(python):  # noqa: F811
    """Its own repository passes: what the check asks for is what that tool writes. The archive of it has no engines."""
    for folder_ in ("bin", "lib"):
        (python.top / folder_).mkdir()
    store_format.check(python.top, pathlib.Path(MADE_AT))
    (python.top.parent / "keystore").chmod(0o600)
    store_format.check_keystore(python.top.parent / "keystore")


def test_every_command_leaves_what_the_python_tool_reads(udocker, registry, layout, pushed, tmp_path):
    def leaves(*words, **options) -> str:
        out = udocker.ok(*words, **options).out.strip()
        store_format.check(udocker.top)
        return out

    leaves("mkrepo", udocker.top)
    reference = oci.push(registry, "inter/change", "1.0", oci.image([BASE, NEXT], CONFIG))
    leaves("pull", reference)
    leaves("pull", pushed("busybox"))
    leaves("tag", reference, "other/name:x")
    leaves("tag", reference, "deep/er/and/deeper:1")
    leaves("protect", "other/name:x")
    leaves("unprotect", "other/name:x")
    leaves("protect", "other/name:x")
    saved = tmp_path / "saved.tar"
    leaves("save", "-o", saved, reference, "other/name:x")
    container = leaves("create", "--name=box", pushed("busybox"))
    store_format.check_container(udocker.top / "containers" / container, udocker.top)
    leaves("create", reference)
    leaves("name", container, "second")
    leaves("rename", "second", "third")
    leaves("setup", "--execmode=P2", "box")
    leaves("protect", "box")
    leaves("run", "box", "/bin/busybox", "mkdir", "/new")
    leaves("run", "--name=made", "-v", f"{tmp_path}:/mnt/deep/er", pushed("busybox"), "/bin/busybox", "true")
    plain = tmp_path / "plain.tar"
    plain.write_bytes(oci.tar_bytes(TREE))
    leaves("import", plain, "imported:1")
    leaves("import", "--tocontainer", "--name=tree", plain, "imported:2")
    leaves("load", "-i", saved, "loaded")
    leaves("load", "-i", layout("busybox"))
    leaves("verify", reference)
    leaves("rmname", "third")
    leaves("rm", "made")
    leaves("rmi", "deep/er/and/deeper:1")


def test_the_keystore(udocker, registry):
    users = {"someone": "se:cret wörd"}
    with Front(Upstream(registry.url), [Basic(users)]) as front:
        udocker.ok("login", "--username=someone", "--password-stdin", f"--registry={front.host}", stdin="se:cret wörd".encode())
    keystore = udocker.home / ".udocker/keystore"
    store_format.check_keystore(keystore)
    [(url, entry)] = store_format.one_line_json(keystore).items()
    assert url == f"https://{front.host}" and base64.b64decode(entry["auth"]).decode() == "someone:se:cret wörd"


def test_what_the_python_tool_cannot_address_is_told(udocker, pushed):
    reference = pushed("busybox")
    told = "the Python udocker"
    first = udocker.ok("pull", reference).err
    assert f"Info: image {reference}: {told} cannot address it, since it splits names at the first colon" in first
    assert told not in udocker.ok("pull", reference).err
    assert told not in udocker.ok("tag", reference, "plain/name:1").err
    assert "does not list it, since it lies below plain/name:1;" in udocker.ok("tag", reference, "plain/name/1/below:2").err
