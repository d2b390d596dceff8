"""run: host files and directories inside: -v, :ro, mount points, --volumes-from, --novol, the default volumes, --dns."""
import os
import pathlib
import pwd

import pytest


@pytest.fixture
def host(tmp_path):
    """A folder of the host with something in it."""
    folder = tmp_path / "on host"
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_text("content\n")
    (folder / "sub/deep").write_text("deep\n")
    return folder


def tree_of(root: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_folder(box, host):
    assert box.sh("cat /data/file /data/sub/deep", options=("-v", f"{host}:/data")) == "content\ndeep"


def test_a_file(box, host):
    assert box.sh("cat /etc/some.conf", options=("-v", f"{host}/file:/etc/some.conf")) == "content"


def test_a_file_over_a_file_of_the_image(box, host):
    assert box.ok("cat", "/etc/group", options=("-v", f"{host}/file:/etc/group")) == "content\n"
    assert (box.root / "etc/group").read_text().startswith("root:")


def test_the_same_path_if_left_out(box, host):
    assert box.ok("cat", host / "file", options=(f"--volume={host}",)) == "content\n"
    assert box.ok("cat", host / "file", options=(f"--volume={host}:",)) == "content\n"


def test_writing_reaches_the_host(box, host):
    box.sh("echo new > /data/new; mv /data/file /data/moved; rm -r /data/sub", options=("-v", f"{host}:/data"))
    assert tree_of(host) == ["moved", "new"] and (host / "new").read_text() == "new\n"


WRITES = [
    "echo x > /data/file", "echo x >> /data/file", "echo x > /data/new", "mkdir /data/new", "rm /data/file", "rm -r /data/sub",
    "mv /data/file /data/other", "mv /tmp/source /data/new", "mv /data/file /tmp/out", "ln /data/file /data/hard",
    "ln -s x /data/soft", "chmod 600 /data/file", "chown 5:5 /data/file", "touch -t 200001010000 /data/file",
    "truncate -s 0 /data/file", "mkfifo /data/fifo", "cp /data/file /data/sub/copy", "dd if=/dev/zero of=/data/file count=1",
]


# Q39 of the Python tool: `-v H:C:ro` binds at `C:ro`.
@pytest.mark.parametrize("write", WRITES)
def test_read_only_means_read_only(box, host, write):
    before = {name: (host / name).stat() for name in tree_of(host)}
    outcome = box.run("sh", "-c", f"echo > /tmp/source; {write}", options=("-v", f"{host}:/data:ro"))
    assert outcome.status != 0 and "Read-only file system" in outcome.err, str(outcome)
    after = {name: (host / name).stat() for name in tree_of(host)}
    assert {name: (stat.st_size, stat.st_mode, stat.st_mtime_ns, stat.st_nlink) for name, stat in before.items()} == \
        {name: (stat.st_size, stat.st_mode, stat.st_mtime_ns, stat.st_nlink) for name, stat in after.items()}


def test_reading_from_read_only(box, host):
    assert box.sh("cat /data/file; ls /data", options=("-v", f"{host}:/data:ro")) == "content\nfile\nsub"


def test_a_read_only_file(box, host):
    outcome = box.run("sh", "-c", "echo x > /data", options=("-v", f"{host}/file:/data:ro"))
    assert "Read-only file system" in outcome.err and (host / "file").read_text() == "content\n"


def test_a_link_into_a_read_only_volume(box, host):
    outcome = box.run("sh", "-c", "ln -s /data/file /tmp/link.$$; echo x > /tmp/link.$$", options=("-v", f"{host}:/data:ro"))
    assert "Read-only file system" in outcome.err and (host / "file").read_text() == "content\n"


def test_nothing_is_created_for_mount_points(box, host):
    before = tree_of(box.root)
    script = "cat /not/there/at/all/file; ls /not /not/there; ls -d /not/there/at/../at"
    assert box.sh(script, options=("-v", f"{host}:/not/there/at/all")).splitlines()[0] == "content"
    assert tree_of(box.root) == before


def test_mount_points_that_the_image_lacks_are_listed(box, host):
    options = ("-v", f"{host}:/newdir", "-v", f"{host}/file:/etc/new.conf", "-v", f"{host}:/made/of/glue")
    listed = box.ok("ls", "-la", "/", options=options).splitlines()
    assert [line[0] for line in listed if line.split()[-1] in ("newdir", "made")] == ["d", "d"]
    assert box.ok("ls", "/etc", options=options).split().count("new.conf") == 1
    assert box.sh("echo /new* /ma*/*/*", options=options) == "/newdir /made/of/glue"
    assert box.sh("find / -name proc -prune -o -name sys -prune -o -name dev -prune -o -name deep -print", options=options).split() == \
        ["/newdir/sub/deep", "/made/of/glue/sub/deep"]
    outcome = box.run("rmdir", "/made/of", options=options)
    assert outcome.status == 1 and "not empty" in outcome.err


def test_a_mount_point_cannot_be_removed_or_renamed(box, host):
    for command in ("rmdir /data/sub", "mv /data/sub /data/other", "rm -rf /data/sub"):
        outcome = box.run("sh", "-c", command, options=("-v", f"{host}:/data", "-v", f"{host}/sub:/data/sub"))
        assert outcome.status != 0 and "busy" in outcome.err, str(outcome)
    assert (host / "sub").is_dir()


def test_a_volume_in_a_volume(box, host, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "inner").write_text("inner\n")
    options = ("-v", f"{other}:/data/sub", "-v", f"{host}:/data:ro")  # the order does not matter
    assert box.sh("cat /data/file /data/sub/inner; ls /data/sub; echo x > /data/sub/new", options=options) == "content\ninner\ninner"
    assert (other / "new").exists() and tree_of(host) == ["file", "sub", "sub/deep"]


def test_the_later_of_two_volumes_counts(box, host, tmp_path):
    (tmp_path / "second").write_text("second\n")
    assert box.ok("cat", "/f", options=("-v", f"{host}/file:/f", "-v", f"{tmp_path}/second:/f")) == "second\n"


def test_dot_dot_leads_out_of_a_volume_into_the_container(box, host):
    assert box.sh("cd /data/sub; cd ../..; pwd; ls etc/passwd; cat /data/../etc/hostname-not-there 2>/dev/null; ls /data/../../bin/busybox",
                  options=("-v", f"{host}:/data")) == "/\netc/passwd\n/data/../../bin/busybox"


def test_links_in_a_volume_mean_paths_of_the_container(box, host):
    (host / "absolute").symlink_to("/etc/passwd")
    (host / "upwards").symlink_to("../../../../../etc/passwd")
    (host / "inside").symlink_to("sub/deep")
    (host / "self").symlink_to(host / "file")
    script = "cat /data/inside; grep -c guest /data/absolute /data/upwards; cat /data/self 2>&1"
    out = box.run("sh", "-c", script, options=("-v", f"{host}:/data"))
    assert out.lines[:3] == ["deep", "/data/absolute:1", "/data/upwards:1"], str(out)
    assert "No such file" in out.lines[3]


def test_a_link_of_the_image_to_a_mount_point(fresh_box, host):
    (fresh_box.root / "short").symlink_to("/data/sub")
    assert fresh_box.ok("cat", "/short/deep", options=("-v", f"{host}:/data")) == "deep\n"


def test_a_mount_point_behind_a_link_of_the_image(fresh_box, host):
    (fresh_box.root / "real").mkdir()
    (fresh_box.root / "alias").symlink_to("real")
    assert fresh_box.sh("cat /real/file /alias/file", options=("-v", f"{host}:/alias")) == "content\ncontent"


def test_a_mount_point_that_would_leave_the_container(fresh_box, host, tmp_path):
    (fresh_box.root / "evil").symlink_to(tmp_path)
    (tmp_path / "victim").mkdir()
    fresh_box.run("sh", "-c", "touch /evil/victim/file", options=("-v", f"{host}:/evil/victim"))
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_volume_whose_host_path_is_a_link(box, host, tmp_path):
    (tmp_path / "link").symlink_to(host)
    assert box.ok("cat", "/data/file", options=("-v", f"{tmp_path}/link:/data")) == "content\n"


def test_getcwd_in_a_volume(box, host):
    assert box.sh("cd /data/sub && /bin/pwd && readlink /proc/self/cwd && cd .. && /bin/pwd", options=("-v", f"{host}:/data")) == \
        "/data/sub\n/data/sub\n/data"


def test_a_program_in_a_volume(box, host):
    (host / "script").write_text("#!/bin/sh\necho $0 runs\nreadlink /proc/$$/exe\n")
    (host / "script").chmod(0o755)
    assert box.ok("/data/script", options=("-v", f"{host}:/data")) == "/data/script runs\n/bin/busybox\n"


def test_rename_between_volume_and_container_is_between_file_systems(box, host):
    assert box.sh("mv /data/file /tmp/moved && cat /tmp/moved && rm /tmp/moved", options=("-v", f"{host}:/data")) == "content"
    assert not (host / "file").exists()


def test_docker_options_without_meaning_here(box, host):
    for option in ("rw", "z", "Z", "rw,Z", "cached"):
        assert box.ok("cat", "/data/file", options=("-v", f"{host}:/data:{option}")) == "content\n"


def test_system_directories(box):
    assert box.sh("cat /proc/sys/kernel/ostype; [ -c /dev/null ] && [ -d /sys/kernel ] && echo devices") == "Linux\ndevices"
    resolv = pathlib.Path("/etc/resolv.conf")
    if resolv.exists():
        assert box.ok("cat", "/etc/resolv.conf") == resolv.read_text()


def test_nosysdirs(box):
    assert box.sh("ls /proc /dev /sys; ls /etc", options=("--nosysdirs",)).split() == [
        "/dev:", "/proc:", "/sys:", "group", "passwd"]


def test_novol(box, host):
    assert box.sh("ls /sys; ls /proc/1/status", options=("--novol=/sys",)) == "/proc/1/status"
    outcome = box.udocker.ok("run", "--nobanner", "--novol=/not-in-it", box.id, "true")
    assert "/not-in-it not in volumes list" in outcome.err


def test_bindhome(box, host):
    home = pwd.getpwuid(os.getuid()).pw_dir
    outcome = box.run("sh", "-c", "echo $HOME; ls -d $HOME", options=("--bindhome",))
    assert outcome.lines[0] in (home, str(box.udocker.home)), str(outcome)


def test_dri(box):
    places = [path for path in ("/usr/lib64/dri", "/lib64/dri", "/usr/lib/dri", "/lib/dri") if os.path.isdir(path)]
    assert box.sh("for d in /usr/lib64/dri /lib64/dri /usr/lib/dri /lib/dri; do [ -d $d ] && echo $d; done; true",
                  options=("--dri",)).split() == places


def test_dns(box):
    text = box.ok("cat", "/etc/resolv.conf", options=("--dns=192.0.2.1", "--dns=2001:db8::1", "--dns-search=example.org"))
    assert sorted(text.splitlines()) == ["nameserver 192.0.2.1", "nameserver 2001:db8::1", "search example.org"]


def test_dns_search_alone_keeps_the_servers(box):
    servers = [line for line in pathlib.Path("/etc/resolv.conf").read_text().splitlines() if line.startswith("nameserver")]
    lines = box.ok("cat", "/etc/resolv.conf", options=("--dns-search=example.org",)).splitlines()
    assert [line for line in lines if line.startswith("nameserver")] == servers and "search example.org" in lines


def test_what_is_no_name_server(box):
    assert "not-an-address" in box.fails("true", options=("--dns=not-an-address",))


def test_volumes_from(guests, box):
    source = guests.fresh_configured(Volumes={"/shared/data": {}})
    source.sh("mkdir -p /shared/data; echo from source > /shared/data/file")
    assert box.sh("cat /shared/data/file; echo more > /shared/data/more", options=(f"--volumes-from={source.id}",)) == "from source"
    assert source.ok("cat", "/shared/data/more") == "more\n"
    outcome = box.run("sh", "-c", "echo x > /shared/data/file", options=(f"--volumes-from={source.id}:ro",))
    assert "Read-only file system" in outcome.err
    assert "no-such" in box.fails("true", options=("--volumes-from=no-such",))


def test_special_files(box, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert box.sh("[ -p /run-fifo ] && echo fifo; [ -c /zero ] && echo device",
                  options=("-v", f"{tmp_path}/fifo:/run-fifo", "-v", "/dev/zero:/zero")) == "fifo\ndevice"


@pytest.mark.parametrize("directory, options, shown", [
    ("/tmp", (), "/tmp"),
    ("/home/../tmp//", (), "/tmp"),
    ("/made/by/run", (), "/made/by/run"),
])
def test_workdir(fresh_box, directory, options, shown):
    assert fresh_box.sh("pwd; touch here", options=(f"--workdir={directory}", *options)) == shown


def test_workdir_of_the_image(guests):
    assert guests.fresh_configured(WorkingDir="/not/made").sh("pwd") == "/not/made"
    container = guests.fresh_configured(WorkingDir="/home")
    assert container.sh("pwd") == "/home"
    assert container.sh("pwd", options=("-w", "/tmp")) == "/tmp"


def test_workdir_in_a_volume(box, host):
    assert box.sh("pwd; cat deep", options=("-v", f"{host}:/data", "-w", "/data/sub")) == "/data/sub\ndeep"


@pytest.mark.parametrize("volume, cause", [
    ("on host:/data", "not an absolute path"), ("./on host:/data", "not an absolute path"), (":/data", "not an absolute path"),
    ("", "not an absolute path"), ("{host}:data", "an absolute path other than / is needed"),
    ("{host}:/", "an absolute path other than / is needed"), ("{host}:/data/..", "an absolute path other than / is needed"),
    ("{host}/none:/data", "create it first"), ("{host}/file/none:/data", "Not a directory"),
    ("{host}:/data:wrong", "'wrong'"), ("{host}:/data:ro,rw", "choose one"), ("{host}:/data:ro:x", "paths with a colon"),
    ("{host}/file:/etc", "not same type"), ("{host}:/etc/passwd", "not same type"), ("{host}:/etc/passwd/x", "Not a directory"),
])
def test_what_is_no_volume(box, host, volume, cause):
    before = tree_of(box.root)
    text = box.fails("true", options=("-v", volume.format(host=host)), cwd=host.parent)
    assert "volume" in text and cause in text
    assert tree_of(box.root) == before


def test_a_name_server_file_that_is_a_link_to_nothing(fresh_box):
    """As in images of Ubuntu: the link of the image leads to a place that exists only at run time."""
    (fresh_box.root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    assert fresh_box.ok("cat", "/etc/resolv.conf") == pathlib.Path("/etc/resolv.conf").read_text()
    for more in ((), ("--nosysdirs",)):
        assert "nameserver 192.0.2.1" in fresh_box.ok("cat", "/etc/resolv.conf", options=("--dns=192.0.2.1", *more))
    assert not (fresh_box.root / "run").exists()


def test_a_volume_on_the_name_server_file_counts_more_than_dns(box, host):
    options = ("--dns=192.0.2.1", "-v", f"{host}/file:/etc/resolv.conf")
    assert box.ok("cat", "/etc/resolv.conf", options=options) == "content\n"


def test_volumes_from_of_an_image_that_only_declares_them(guests, box):
    source = guests.fresh_configured(Volumes={"/declared only": {}, "relative": {}, "/": {}})
    outcome = box.run("sh", "-c", "cd '/declared only' && pwd && echo kept > file", options=(f"--volumes-from={source.id}",))
    assert outcome.out == "/declared only\n"
    assert source.ok("cat", "/declared only/file") == "kept\n"


@pytest.mark.parametrize("text", ["", ":ro", "no-such", "a:b:c"])
def test_what_is_no_source_of_volumes(box, text):
    assert "--volumes-from" in box.fails("true", options=(f"--volumes-from={text}",))


def test_novol_drops_a_volume_of_the_user_too(box, host):
    assert box.run("ls", "/data", options=(f"--novol={host}", "-v", f"{host}:/data")).status != 0


def test_a_container_in_a_repository_behind_a_link(box, host, tmp_path):
    (tmp_path / "link").symlink_to(box.udocker.top)
    shown = box.udocker.ok("-q", f"--repo={tmp_path}/link", "run", "-v", f"{host}:/data", box.id, "sh", "-c", "cd /data; pwd; ls -d /bin")
    assert shown.out == "/data\n/bin\n"
