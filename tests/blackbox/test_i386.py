"""A real i386 Debian and i386 programs on a host of x86-64, each doing what people do in it."""
import pytest

import oci
import test_run_ports
import test_run_root
from oci import file

pytestmark = [pytest.mark.slow, pytest.mark.requires("ia32")]


@pytest.fixture
def narrow(guests):
    return guests.shared("bookworm-i386")


def test_pulled_and_run_without_a_warning(guests, narrow):
    reference = guests.image("bookworm-i386")
    for options in ((), ("--platform=linux/386",)):
        outcome = guests.udocker.ok("pull", *options, reference)
        assert "Warning" not in outcome.err, outcome
    assert "linux/386" in guests.udocker.ok("images", "-p").out
    outcome = guests.udocker.ok("run", "--nobanner", narrow.id, "dpkg", "--print-architecture")
    assert outcome.out == "i386\n" and "Warning" not in outcome.err, outcome


def test_run_pulls_for_the_platform(udocker, pushed):
    outcome = udocker.ok("-q", "run", "--platform=linux/386", pushed("bookworm-i386"), "getconf", "LONG_BIT")
    assert outcome.out == "32\n" and outcome.err == ""


def test_chosen_from_an_index(udocker, registry):
    made = [(oci.image([oci.tar_layer([file("platform", name.encode())])], platform=name), {
        "os": "linux", "architecture": name.split("/")[1]}) for name in ("linux/amd64", "linux/386")]
    for image, _ in made:
        oci.push(registry, "i386/index", image.manifest.digest[7:19], image)
    oci.push_manifest(registry, "i386/index", "latest", oci.index(made))
    reference = f"{registry.host}/i386/index:latest"
    for platform, wanted in (("linux/386", "linux/386"), ("i386", "linux/386"), ("", "linux/amd64")):
        outcome = udocker.ok("pull", *([f"--platform={platform}"] if platform else []), reference)
        assert "Warning" not in outcome.err
        assert (udocker.root_of(udocker.create(reference)) / "platform").read_text() == wanted


def test_chosen_where_there_is_nothing_better(udocker, registry):
    made = [(oci.image([oci.tar_layer([file("platform", name.encode())])], platform=name), {
        "os": "linux", "architecture": name.split("/")[1]}) for name in ("linux/arm64", "linux/386")]
    for image, _ in made:
        oci.push(registry, "i386/only", image.manifest.digest[7:19], image)
    oci.push_manifest(registry, "i386/only", "latest", oci.index(made))
    reference = f"{registry.host}/i386/only:latest"
    assert "available: linux/arm64, linux/386" in udocker.fails("pull", "--platform=linux/amd64", reference).err
    assert "Warning" not in udocker.ok("pull", reference).err
    assert (udocker.root_of(udocker.create(reference)) / "platform").read_text() == "linux/386"


def test_programs_are_of_32_bits(narrow):
    assert narrow.ok("getconf", "LONG_BIT") == "32\n"
    assert narrow.python("import struct; print(struct.calcsize('P'))") == "4"
    assert "ELF 32-bit LSB" in narrow.ok("file", "-L", "/bin/sh")
    assert narrow.sh("readlink /proc/self/exe; cd /usr/bin; pwd; ls -d ../lib/i386-linux-gnu") == \
        "/usr/bin/readlink\n/usr/bin\n../lib/i386-linux-gnu"


def test_files_and_times(narrow):
    script = r"""
set -e
d=$(mktemp -d); cd "$d"
mkdir -p a/b; echo one > a/b/f; ln -s a/b/f link; ln a/b/f hard; cp -a a copy; mv copy moved
test "$(cat link hard moved/b/f | sort -u)" = one
test "$(readlink -f link)" = "$d/a/b/f"
touch -d 2001-02-03T04:05:06Z moved/b/f; test "$(date -u -r moved/b/f +%s)" = 981173106
truncate -s 5G large; test "$(stat -c %s large)" = 5368709120
chown 70000:5 hard; chmod 4755 hard; test "$(stat -c '%u %g %a' a/b/f)" = '70000 5 4755'
tar -cf t.tar a; mkdir x; tar -C x -xf t.tar; cmp x/a/b/f a/b/f
test "$(stat -f -c %T /proc)" = proc
ls -A | sort | tr '\n' ' '
cd /; rm -r "$d"
"""
    assert narrow.sh(script) == "a hard large link moved t.tar x "


def test_packages(narrow):
    assert narrow.ok("dpkg-query", "-W", "-f", "${Status}", "base-files") == "install ok installed"
    narrow.ok("dpkg", "--verify", "base-files")
    assert narrow.sh("apt-get --version | head -n 1").endswith("(i386)")
    assert narrow.sh("apt-cache policy no-such-package 2>/dev/null; apt-get -s remove file | grep -c ^Remv") == "1"


def test_package_is_built_installed_and_removed(guests):
    container = guests.fresh("bookworm-i386")
    script = r"""
set -e
mkdir -p /tmp/p/DEBIAN /tmp/p/usr/share/narrow; echo content > /tmp/p/usr/share/narrow/file
printf 'Package: narrow\nVersion: 1\nArchitecture: i386\nMaintainer: T <t@example.org>\nDescription: test\n' > /tmp/p/DEBIAN/control
printf '#!/bin/sh\nset -e\nuseradd --system narrow-user\nchown narrow-user /usr/share/narrow/file\n' > /tmp/p/DEBIAN/postinst
chmod 755 /tmp/p/DEBIAN/postinst
dpkg-deb --root-owner-group -b /tmp/p /tmp/narrow.deb >/dev/null
dpkg -i /tmp/narrow.deb >/dev/null
stat -c %U /usr/share/narrow/file; dpkg --verify narrow
su -s /bin/sh narrow-user -c 'id -un'
dpkg -P narrow >/dev/null 2>&1; test ! -e /usr/share/narrow
"""
    assert container.sh(script) == "narrow-user\nnarrow-user"


def test_python(narrow):
    script = """
import concurrent.futures, multiprocessing, os, socket, subprocess, tempfile, threading
assert subprocess.run(["/bin/sh", "-c", "exit 5"]).returncode == 5
assert subprocess.run(["sh", "-c", "kill -9 $$"]).returncode == -9
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert sum(pool.map(lambda name: len(os.listdir(name)), ["/usr/bin"] * 32)) == 32 * len(os.listdir("/usr/bin"))
with multiprocessing.get_context("fork").Pool(4) as pool:
    assert pool.map(abs, range(-50, 0)) == list(range(50, 0, -1))
with tempfile.TemporaryDirectory() as place:
    os.chdir(place)
    assert os.getcwd() == place and os.path.realpath("/proc/self/cwd") == place
    server, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    server.bind(place + "/socket"); server.listen(); client.connect("socket")
    other, _ = server.accept()
    client.sendall(b"x"); assert other.recv(1) == b"x"
    assert server.getsockname() == client.getpeername() == place + "/socket"
    os.chdir("/")
for name in "bz2 ctypes hashlib json lzma sqlite3 ssl zlib".split(): __import__(name)
print(os.path.realpath("/proc/self/exe"), os.getuid())
"""
    assert narrow.python(script) == "/usr/bin/python3.11 0"


def test_root_emulation_of_sockets(narrow):
    test_run_root.test_credentials_that_sockets_tell(narrow)
    test_run_root.test_there_is_no_audit(narrow)


@pytest.mark.parametrize("options", [("-p", "45190:85"), ("-P",), ()])
def test_ports(narrow, options):
    outcome = narrow.udocker.ok("run", "--nobanner", *options, narrow.id, "python3", "-c", test_run_ports.TALK, "85")
    assert outcome.out.split() == ["85"] * 5


def test_perl(narrow):
    script = 'my @s = lstat("/etc/passwd"); my $n = () = glob("/etc/*.conf"); print "$s[4] ", $n > 1, " ", `pwd`'
    assert narrow.ok("perl", "-MFile::Find", "-MSocket", "-e", script) == "0 1 /root\n"


def test_compiler(narrow):
    script = r"""
set -e
cd "$(mktemp -d)"
printf '#include <stdio.h>\nint main(int c, char** v) { printf("%%zu %%s\\n", sizeof(long), v[1]); return 3; }\n' > p.c
gcc -O2 -o p p.c; gcc -static -o s p.c; gcc -static-pie -o sp p.c; gcc -no-pie -o np p.c
for program in ./p ./s ./sp ./np; do $program $program || echo $?; done | tr '\n' ' '
"""
    assert narrow.sh(script) == "4 ./p 3 4 ./s 3 4 ./sp 3 4 ./np 3 "


def test_programs_of_the_other_kind(narrow, guests):
    """The static busybox of x86-64 in the i386 image: each starts the other."""
    other = f"--volume={guests.shared('busybox').root}/bin/busybox:/mnt/busybox"
    script = "/mnt/busybox sh -c '/usr/bin/dpkg --print-architecture; uname -m; getconf LONG_BIT' && getconf LONG_BIT"
    assert narrow.sh(script, options=(other,)) == "i386\nx86_64\n32\n32"
    assert narrow.sh("setarch i386 uname -m; setarch i386 /mnt/busybox true", options=(other,)) == "i686"
