"""run: what /proc shows: a program itself, its threads, and the other processes of the container."""
from __future__ import annotations

import pytest

from compared import assert_same

BOTH = pytest.mark.parametrize("abi", ["x86_64", pytest.param("i386", marks=pytest.mark.requires("ia32"))])


@pytest.fixture
def without_set_mm(programs):
    """The words in front of a command that make the kernel one without prctl(PR_SET_MM)."""
    return [str(programs.build("refuse", "x86_64"))]


@BOTH
@pytest.mark.parametrize("old_kernel", [False, True], ids=["set_mm", "no_set_mm"])
def test_as_natively(programs, box, tmp_path, without_set_mm, abi, old_kernel):
    name = f"proc-{abi}-{old_kernel}"
    for folder in (tmp_path, box.root / "tmp"):
        (folder / name).mkdir()
    seen = {"SEEN_BEFORE": "yes"}
    native = programs.natively("proc", abi, tmp_path / name, env=seen)
    assert native[1] == 0 and "SEEN_BEFORE=yes" in native[0], native
    how = {"prefix": without_set_mm} if old_kernel else {}
    assert_same(native, programs.in_guest(box, "proc", abi, f"/tmp/{name}", options=("--env=SEEN_BEFORE=yes",), **how))


def test_programs_without_set_mm(guests, without_set_mm):
    """Heaps, threads, and programs of all kinds on a kernel without prctl(PR_SET_MM)."""
    debian = guests.shared("bookworm")
    script = """
import subprocess, threading
big = [bytes(1000) for _ in range(100000)]
threads = [threading.Thread(target=lambda: subprocess.run(["/bin/sh", "-c", "exit 0"], check=True)) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(map(len, big)), open("/proc/self/comm").read().strip())
"""
    assert debian.python(script, prefix=without_set_mm) == "100000000 python3"
    assert guests.shared("go").ok("/bin/guest", prefix=without_set_mm) == guests.shared("go").ok("/bin/guest")


@pytest.mark.slow
def test_process_tools(guests):
    """ps, pgrep, pidof, top, pstree and lsof: programs by their own names, stopped ones as stopped, files by guest paths."""
    script = r"""
cd "$(mktemp -d)"; printf '#!/bin/sh\nexec 5> held\nread word < fifo\n' > a-script; chmod 755 a-script; mkfifo fifo
cp /bin/sleep "our-sleep-$$"
"./our-sleep-$$" 1000 & sleeper=$!
./a-script & script=$!
while [ ! -e held ]; do :; done
kill -STOP $sleeper
until [ "$(ps -o stat= -p $sleeper | cut -c1)" = T ]; do :; done
for found in "$(pgrep -x "our-sleep-$$")" "$(pidof "our-sleep-$$")" "$(ps -C "our-sleep-$$" -o pid= | tr -d ' ')" \
    "$(pgrep -f "our-sleep-$$ 1000")"; do
  [ "$found" = $sleeper ] || echo "found '$found' for $sleeper"
done
pgrep -x a-script | grep -cx $script
ps -o user=,comm=,args= -p $sleeper,$script | sed "s/-$$/-N/g" | tr -s ' '
top -b -n 1 -p $sleeper | tail -n 1 | awk '{ print $2, $8, $12 }' | sed "s/-$$/-N/"
pstree -p $$ | grep -c 'a-script('
lsof -p $script -a -d 5 -F cn | grep '^[cn]' | sed "s,$PWD,HERE,"
lsof -t "$PWD/held" | grep -cx $script
lsof -p $script -a -d cwd,rtd,txt -F n | grep ^n | sed "s,$PWD,HERE,"
readlink /proc/$script/exe /proc/$script/cwd /proc/$script/fd/5 | sed "s,$PWD,HERE,"
kill -KILL $sleeper $script
"""
    assert guests.shared("tools").sh(script).splitlines() == [
        "1", "root our-sleep-N ./our-sleep-N 1000", "root a-script /bin/sh ./a-script", "root T our-sleep+", "1",
        "ca-script", "nHERE/held", "1", "nHERE", "n/", "n/usr/bin/dash", "/usr/bin/dash", "HERE", "HERE/held"]


@pytest.mark.slow
def test_what_traces_and_confines(guests):
    """Tracers and builders of namespaces are told that they may not, and end by themselves."""
    tools = guests.shared("tools")
    for command in (("strace", "true"), ("gdb", "-batch", "-ex", "run", "true"), ("bwrap", "--ro-bind", "/", "/", "true"),
                    ("unshare", "--user", "true"), ("unshare", "--mount", "true"), ("nsenter", "--mount=/proc/self/ns/mnt", "true")):
        outcome = tools.run(*command)
        assert outcome.status == 1 and "Operation not permitted" in outcome.err, outcome


def test_no_path_of_the_host(box):
    """In no file and no link of any process of the container."""
    script = r"""
sleep 1000 & child=$!
for process in self thread-self self/task/$$ 1 $$ $child $child/task/$child; do
  [ -e /proc/$process ] || continue
  (cd /proc/$process && cat cmdline maps smaps numa_maps mounts mountstats status stat comm; readlink exe cwd root fd/* )
done 2>/dev/null | tr '\0' '\n'
kill $child
"""
    out = box.sh(script)
    for text in (str(box.root), str(box.udocker.home), "udocker"):
        assert text not in out, [line for line in out.splitlines() if text in line]
    assert "/bin/busybox" in out
