"""The guests that the product is promised for, each doing what people do in it: three releases of Debian, a program
linked against musl (dynamically and statically), and a static Go program that enters the kernel without a C library."""
import hashlib

import pytest

from guests import Container

DEBIANS = {"bullseye": ("11", (3, 9)), "bookworm": ("12", (3, 11)), "trixie": ("13", (3, 13))}
PROGRAMS = {"musl": ("musl", "/bin/guest"), "musl-static": ("musl", "/bin/guest-static"), "go": ("go", "/bin/guest")}


class Program:
    """One of the small programs of tests/blackbox/programs in its own container."""

    def __init__(self, container: Container, path: str):
        self.container, self.path = container, path

    def ok(self, *words, **how) -> str:
        return self.container.ok(self.path, *words, **how)

    def run(self, *words, **how):
        return self.container.run(self.path, *words, **how)


@pytest.fixture(params=sorted(PROGRAMS))
def program(request, guests):
    image, path = PROGRAMS[request.param]
    return Program(guests.shared(image), path)


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow) for name in sorted(DEBIANS)])
def debian(request, guests):
    """(container, release number, version of its python3)"""
    return guests.shared(request.param), *DEBIANS[request.param]


# ---- musl and Go ----------------------------------------------------------------------------------------------

def test_program_sees_a_container(program):
    seen = dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in program.ok().splitlines())
    assert seen["uid"] == "0" and seen["gid"] == "0" and seen["user"] == "root"
    assert seen["exe"] == program.path
    assert seen["home"] == "/root" and seen["cwd"].startswith("/")


def test_program_as_another_user(program):
    seen = program.ok(options=("--user=guest",)).splitlines()
    assert "uid: 1234" in seen and "user: guest" in seen and "home: /home/guest" in seen


def test_program_reads_the_containers_files(program):
    assert program.ok("cat", "/etc/passwd") == (program.container.root / "etc/passwd").read_text()


def test_program_writes_and_reads_back(program):
    name = "/tmp/" + hashlib.sha256(program.path.encode()).hexdigest()[:12]
    program.ok("write", name, "some text")
    assert (program.container.root / name.lstrip("/")).read_text() == "some text"
    assert program.ok("cat", name) == "some text"


def test_program_finds_nothing_of_the_host(program, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    outcome = program.run("cat", str(secret))
    assert outcome.status == 1 and "of the host" not in outcome.out
    assert program.ok("cat", str(secret), options=(f"--volume={tmp_path}",)) == "of the host"


def test_program_starts_programs(program):
    assert program.ok("spawn", program.path, "status", "42") == "status: 42\n"
    assert program.ok("spawn", program.path, "signal", "15") == "signal: 15\n"
    assert program.ok("spawn", program.path, "spawn", program.path, "status", "3").splitlines() == ["status: 3", "status: 0"]


def test_program_has_threads(program):
    assert program.ok("thread") == "thread: saw /etc/passwd\n"


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_program_ends_with_its_status(program, status):
    assert program.run("status", str(status)).status == status


@pytest.mark.parametrize("number", [1, 9, 15])
def test_program_that_dies_by_a_signal(program, number):
    assert program.run("signal", str(number)).status == 128 + number


# ---- Debian ---------------------------------------------------------------------------------------------------

def test_debian_is_the_release_it_should_be(debian):
    container, number, python = debian
    assert f'VERSION_ID="{number}"' in container.ok("cat", "/etc/os-release")
    assert container.python("import sys; print(tuple(sys.version_info[:2]))") == str(python)


def test_debian_shell_work(debian):
    container, *_ = debian
    assert container.sh("set -e; cd /usr; ls -d bin lib share; cd ../etc/.; pwd; echo *.d/passwd /etc/pass*") == \
        "bin\nlib\nshare\n/etc\npam.d/passwd /etc/passwd /etc/passwd-"
    assert container.sh("seq 1 1000 | sort -rn | head -n 3 | tr '\\n' ' '") == "1000 999 998 "
    assert container.sh("find /etc -maxdepth 1 -name 'debian_v*' -exec cat {} + | wc -l") == "1"


def test_debian_files(debian):
    container, *_ = debian
    script = r"""
set -e
d=$(mktemp -d); cd "$d"
mkdir -p a/b; echo one > a/b/f; ln -s a/b/f link; ln a/b/f hard; cp -a a copy; mv copy moved
test "$(cat link hard moved/b/f | sort -u)" = one
test "$(readlink -f link)" = "$d/a/b/f"
test "$(stat -c %h a/b/f)" = 2
touch -d 2001-02-03T04:05:06Z moved/b/f; test "$(date -u -r moved/b/f +%s)" = 981173106
chmod 640 hard; test "$(stat -c %a a/b/f)" = 640
tar -cf t.tar a; mkdir x; tar -C x -xf t.tar; cmp x/a/b/f a/b/f
rm -r a moved x; ls -A | sort | tr '\n' ' '
cd /; rm -r "$d"
"""
    assert container.sh(script) == "hard link t.tar "


def test_debian_packages_are_known(debian):
    container, *_ = debian
    assert container.ok("dpkg-query", "-W", "-f", "${Status}", "base-files") == "install ok installed"
    assert int(container.sh("dpkg -l | grep -c ^ii")) > 80
    container.ok("dpkg", "--verify", "base-files")


def test_debian_python_processes_and_threads(debian):
    container, *_ = debian
    script = """
import concurrent.futures, multiprocessing, os, subprocess, tempfile, threading
assert subprocess.run(["/bin/sh", "-c", "exit 5"]).returncode == 5
assert subprocess.run(["sh", "-c", "kill -9 $$"]).returncode == -9
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert sum(pool.map(lambda name: len(os.listdir(name)), ["/usr/bin"] * 32)) == 32 * len(os.listdir("/usr/bin"))
with multiprocessing.get_context("fork").Pool(4) as pool:
    assert pool.map(abs, range(-50, 0)) == list(range(50, 0, -1))
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, b"from the child")
    os._exit(7)
assert os.read(read, 100) == b"from the child" and os.waitstatus_to_exitcode(os.wait()[1]) == 7
with tempfile.TemporaryDirectory() as place:
    os.chdir(place)
    assert os.getcwd() == place and os.path.realpath("/proc/self/cwd") == place
    os.chdir("/")
print(os.path.realpath("/proc/self/exe"), os.getuid())
"""
    version = ".".join(map(str, debian[2]))
    assert container.python(script) == f"/usr/bin/python{version} 0"


def test_debian_python_finds_its_modules(debian):
    container, *_ = debian
    modules = "bz2 ctypes hashlib json lzma sqlite3 ssl zlib"
    assert container.python(f"for name in {modules.split()!r}: __import__(name)\nprint('all')") == "all"


def test_debian_scripts_with_interpreters(debian):
    container, *_ = debian
    script = r"""
set -e
d=$(mktemp -d); cd "$d"
printf '#!/bin/sh\necho "$0 $1"\n' > first; printf '#!%s/first extra\n' "$d" > second
printf '#!/usr/bin/env python3\nimport sys; print(sys.argv[1])\n' > third
chmod +x first second third
./first one; ./third three
./second two | sed "s#$d#D#g"
cd /; rm -r "$d"
"""
    assert container.sh(script) == "./first one\nthree\nD/first extra"


def test_debian_program_that_is_not_there(debian):
    container, *_ = debian
    assert container.run("sh", "-c", "no-such-program").status == 127
    assert container.sh("test -e /no/such/file || echo absent") == "absent"
