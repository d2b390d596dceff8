"""How layers become a tree: whiteouts, links, replacement, and archives that mean harm.

Layers are made by hand, since no tool makes most of these.
"""
import hashlib
import os
import stat
import tarfile

import pytest

import oci
from oci import device, fifo, file, folder, hardlink, opaque, symlink, tar_layer, whiteout


@pytest.fixture
def build(udocker, registry, request):
    """build(layer, ..): pulls an image of these layers (lists of entries or blobs), returns the root of its container."""
    def make(*layers, **options):
        blobs = [tar_layer(layer) if isinstance(layer, list) else layer for layer in layers]
        name = "layers/" + hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
        reference = oci.push(registry, name, "latest", oci.image(blobs, **options))
        udocker.ok("pull", reference)
        return udocker.root_of(udocker.create(reference))
    return make


@pytest.fixture
def refused(udocker, registry, request, tmp_path):
    """refused(layer, ..): the image must be refused with one line, and nothing may be left behind or appear outside."""
    def make(*layers):
        outside = tmp_path / "outside"
        outside.mkdir(exist_ok=True)
        (outside / "victim").write_text("untouched")
        blobs = [tar_layer(layer) if isinstance(layer, list) else layer for layer in layers]
        name = "refused/" + hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
        reference = oci.push(registry, name, "latest", oci.image(blobs))
        udocker.ok("pull", reference)
        before = udocker.snapshot()
        outcome = udocker.fails("create", reference)
        assert udocker.snapshot() == before
        assert (outside / "victim").read_text() == "untouched" and len(list(outside.iterdir())) == 1
        return outcome
    return make


def tree(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


# ---- whiteouts ------------------------------------------------------------------------------------------------

def test_whiteout_removes_what_is_below(build):
    root = build([folder("d"), file("d/a"), file("d/b"), file("top")], [whiteout("d/a"), whiteout("top")])
    assert tree(root) == ["d", "d/b"]


def test_whiteout_of_a_folder_takes_all_of_it(build):
    root = build([folder("d"), folder("d/e"), file("d/e/f"), file("keep")], [whiteout("d")])
    assert tree(root) == ["keep"]


@pytest.mark.parametrize("order", ["whiteout first", "whiteout last"])
def test_whiteout_does_not_touch_its_own_layer(build, order):
    entries = [whiteout("d/a"), file("d/a", b"new")]
    root = build([folder("d"), file("d/a", b"old")], entries if order == "whiteout first" else entries[::-1])
    assert (root / "d/a").read_bytes() == b"new"


@pytest.mark.parametrize("order", ["marker first", "marker last"])
def test_opaque_hides_the_layers_below_only(build, order):
    entries = [folder("d"), opaque("d"), file("d/new"), folder("d/sub"), file("d/sub/new")]
    if order == "marker last":
        entries.append(entries.pop(1))
    root = build([folder("d"), file("d/old"), folder("d/sub"), file("d/sub/old"), file("other")], entries)
    assert tree(root) == ["d", "d/new", "d/sub", "d/sub/new", "other"]


# Q31 of the Python tool: whiteouts in the top directory of a layer are not applied.
def test_opaque_at_the_top(build):
    assert tree(build([file("old"), folder("d"), file("d/old")], [opaque(""), file("new")])) == ["new"]


def test_whiteout_of_nothing_is_harmless(build):
    assert tree(build([file("a")], [whiteout("no/such"), whiteout("none")])) == ["a"]


def test_whiteout_through_a_symlink_of_a_lower_layer(build, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    build([symlink("link", str(outside))], [whiteout("link/victim")])
    assert (outside / "victim").read_text() == "untouched"


def test_file_removed_and_made_again(build):
    root = build([file("a", b"1")], [whiteout("a")], [file("a", b"3")])
    assert (root / "a").read_bytes() == b"3"


# ---- replacement ----------------------------------------------------------------------------------------------

def test_later_layer_wins(build):
    root = build([file("a", b"old, and longer", mode=0o600)], [file("a", b"new", mode=0o755)])
    assert (root / "a").read_bytes() == b"new" and stat.S_IMODE((root / "a").stat().st_mode) == 0o755


def test_folder_becomes_file_and_back(build):
    root = build([folder("x"), file("x/inner"), file("y")], [file("x", b"file now"), folder("y"), file("y/inner")])
    assert (root / "x").read_bytes() == b"file now" and (root / "y/inner").is_file()


def test_symlink_becomes_folder_and_back(build):
    root = build([folder("real"), symlink("x", "real"), folder("y"), file("y/inner")],
                 [folder("x"), file("x/f"), symlink("y", "real")])
    assert not (root / "x").is_symlink() and (root / "x/f").is_file()
    assert (root / "y").is_symlink() and tree(root / "real") == []


def test_folder_again_keeps_its_content_and_takes_the_new_mode(build):
    root = build([folder("d", 0o700), file("d/a")], [folder("d", 0o755)])
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o755 and (root / "d/a").is_file()


def test_same_name_twice_in_one_layer(build):
    assert (build([file("a", b"first"), file("a", b"second")]) / "a").read_bytes() == b"second"


def test_folder_that_no_entry_names(build):
    assert tree(build([file("a/b/c", b"x")])) == ["a", "a/b", "a/b/c"]


# ---- links ----------------------------------------------------------------------------------------------------

def test_hard_links_within_and_across_layers(build):
    root = build([file("a", b"shared"), hardlink("b", "a")], [hardlink("c", "a")])
    assert (root / "a").stat().st_ino == (root / "b").stat().st_ino
    assert (root / "c").read_bytes() == b"shared"


def test_replacing_one_hard_link_leaves_the_other(build):
    root = build([file("a", b"shared"), hardlink("b", "a")], [file("a", b"own")])
    assert (root / "a").read_bytes() == b"own" and (root / "b").read_bytes() == b"shared"


def test_hard_link_whose_target_is_whited_out_later(build):
    root = build([file("a", b"shared"), hardlink("b", "a")], [whiteout("a")])
    assert tree(root) == ["b"] and (root / "b").read_bytes() == b"shared"


def test_hard_link_to_a_symlink(build):
    root = build([symlink("s", "/nowhere"), hardlink("h", "s")])
    assert os.readlink(root / "h") == "/nowhere"


def test_symlinks_are_kept_as_written(build):
    root = build([symlink("abs", "/etc/passwd"), symlink("up", "../../x"), symlink("long", "y" * 3000)])
    assert [os.readlink(root / name) for name in ("abs", "up", "long")] == ["/etc/passwd", "../../x", "y" * 3000]


# ---- names, sizes, kinds, modes -------------------------------------------------------------------------------

@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_long_names(build, form):
    name = "/".join(["d" * 200] * 4) + "/" + "f" * 255
    root = build(tar_layer([file(name, b"deep"), symlink("link", "t" * 500)], form=form))
    assert (root / name).read_bytes() == b"deep" and os.readlink(root / "link") == "t" * 500


def test_names_of_any_bytes(build):
    names = ["sp ace", "new\nline", "ünï", "-dash", "q'uote\"", "back\\slash", "*", "a.wh.b", ".wh"]
    root = build([file(name, name.encode()) for name in names])
    assert {name: (root / name).read_bytes() for name in names} == {name: name.encode() for name in names}


def test_base_256_numbers(build):
    entry = file("a", b"x", uid=3_000_000_000, gid=3_000_000_001, mtime=-1000)
    root = build(tar_layer([entry], form=tarfile.GNU_FORMAT))
    assert (root / "a").stat().st_mtime == -1000


def test_sparse_file_of_gnu_tar(build, tmp_path):
    import subprocess
    with open(tmp_path / "sparse", "wb") as out:
        out.truncate(50_000_000)
        out.seek(30_000_000)
        out.write(b"island")
    for form in ("gnu", "posix"):
        tar = subprocess.run(["tar", "-C", str(tmp_path), "--sparse", f"--format={form}", "-c", "sparse"],
                             stdout=subprocess.PIPE, check=True).stdout
        assert len(tar) < 1_000_000
        root = build(oci.layer_of(tar))
        status = (root / "sparse").stat()
        assert status.st_size == 50_000_000
        with open(root / "sparse", "rb") as inside:
            inside.seek(29_999_999)
            assert inside.read(8) == b"\0island\0"[:8]


def test_device_nodes_are_left_out_and_the_rest_is_there(build):
    root = build([folder("dev"), device("dev/null"), device("odd"), fifo("pipe"), file("after", b"x")])
    assert not (root / "dev/null").exists() and not (root / "odd").exists()
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode) and (root / "after").is_file()


def test_modes(build):
    root = build([folder("sticky", 0o1777), file("run", mode=0o755), file("secret", mode=0o600), file("none", mode=0o000),
                  file("setuid", mode=0o4755), folder("closed", 0o000), file("closed/in", b"x")])
    mode = {path.name: stat.S_IMODE(path.stat().st_mode) for path in root.iterdir()}
    assert mode["sticky"] == 0o1777 and mode["run"] == 0o755 and mode["secret"] == 0o600
    assert mode["none"] & 0o600 == 0o600 and mode["closed"] & 0o700 == 0o700
    assert mode["setuid"] == 0o755, "set-id bits are recorded, never put on the disk"
    assert (root / "closed/in").read_bytes() == b"x"


def test_times_are_kept(build):
    root = build([folder("d", mtime=1_100_000_000), file("d/f", mtime=1_200_000_000.25), symlink("s", "x", mtime=1_300_000_000)])
    assert (root / "d").stat().st_mtime == 1_100_000_000
    assert (root / "d/f").stat().st_mtime == 1_200_000_000.25
    assert (root / "s").lstat().st_mtime == 1_300_000_000


def test_several_gzip_members_and_zstd_frames(build):
    tar = oci.tar_bytes([file("a", b"x" * 3000), file("b", b"y" * 3000)])
    for compression in ("gzip", "zstd"):
        halves = [oci.layer_of(part, compression) for part in (tar[:2500], tar[2500:])]
        joined = oci.Blob(b"".join(half.data for half in halves), halves[0].media_type, diff_id=oci.digest_of(tar))
        root = build(joined)
        assert (root / "a").read_bytes() == b"x" * 3000 and (root / "b").read_bytes() == b"y" * 3000


def test_empty_layer(build):
    assert tree(build([file("a")], [])) == ["a"]


# ---- archives that mean harm ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["../climbed", "a/../../climbed", "a/b/../../../climbed"])
def test_name_that_climbs_out(refused, name):
    assert "climbed" in refused([file(name, b"x")]).err


def test_absolute_name_stays_inside(build):
    root = build([file("/etc/inside", b"x")])
    assert (root / "etc/inside").read_bytes() == b"x"


# Q32 of the Python tool: a layer can write outside of the container.
@pytest.mark.parametrize("how", ["same layer", "lower layer"])
def test_write_through_an_absolute_symlink_stays_inside(build, tmp_path, how):
    """Links in the folders of a name lead where they lead in the container: `lib -> /usr/lib` is everywhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    first, second = [symlink("link", str(outside))], [file("link/evil", b"x")]
    root = build(first + second) if how == "same layer" else build(first, second)
    assert list(outside.iterdir()) == []
    assert (root / str(outside).lstrip("/") / "evil").read_bytes() == b"x"


def test_write_through_a_climbing_symlink_stays_inside(build):
    root = build([folder("d"), symlink("d/up", "../../.."), file("d/up/evil", b"x")])
    assert (root / "evil").read_bytes() == b"x"
    assert not (root.parent / "evil").exists() and not (root.parent.parent / "evil").exists()


def test_write_onto_a_symlink_replaces_the_link(build, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    root = build([symlink("link", str(victim))], [file("link", b"evil")])
    assert victim.read_text() == "untouched" and (root / "link").read_bytes() == b"evil"


def test_hard_link_to_the_outside(refused, tmp_path):
    assert "victim" in refused([hardlink("h", str(tmp_path / "outside/victim"))]).err


def test_hard_link_that_climbs(refused):
    refused([hardlink("h", "../../../../../../etc/passwd")])


def test_hard_link_through_a_symlink(refused, tmp_path):
    refused([symlink("link", str(tmp_path / "outside")), hardlink("h", "link/victim")])


def test_hard_link_to_nothing(refused):
    assert "absent" in refused([hardlink("h", "absent")]).err


def test_mode_change_through_a_symlink(build, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    build([symlink("link", str(victim))], [folder("link", 0o777)])
    assert stat.S_IMODE(victim.stat().st_mode) == 0o700


def test_opaque_through_a_symlink(build, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    build([symlink("link", str(outside))], [opaque("link")])
    assert (outside / "victim").read_text() == "untouched"


# Q7 of the Python tool: exit status 0 after failures: of `create`, `load`, `search`, `unprotect`.
@pytest.mark.parametrize("cut", [700, 1300, 2047])
def test_archive_that_ends_early(refused, cut):
    tar = oci.tar_bytes([file("a", b"x" * 600), file("b", b"y" * 600)])[:cut]
    refused(oci.layer_of(tar))


def test_compressed_data_that_ends_early(refused):
    whole = tar_layer([file("a", os.urandom(5000))])
    refused(oci.Blob(whole.data[:-600], whole.media_type, diff_id=whole.diff_id))


# Q30 of the Python tool: `create` succeeds though layers could not be unpacked.
def test_garbage_instead_of_an_archive(refused):
    data = bytes(range(256)) * 40
    refused(oci.Blob(data, oci.MEDIA["none"][0], diff_id=oci.digest_of(data)))


def test_unknown_compression(refused):
    import bz2
    tar = oci.tar_bytes([file("a", b"x")])
    blob = oci.Blob(b"\x04\x22\x4d\x18" + bz2.compress(tar), "application/vnd.oci.image.layer.v1.tar+lz4", diff_id=oci.digest_of(tar))
    refused(blob)


def test_diff_id_that_does_not_fit(refused):
    layer = tar_layer([file("a", b"other content than was promised")])
    layer.diff_id = oci.digest_of(b"something else")
    error = refused(layer).err
    assert layer.digest in error and layer.diff_id in error
