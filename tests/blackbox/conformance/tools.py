"""What people do with a Debian: install packages, clone, compile, archive, edit."""
import pytest

pytestmark = pytest.mark.xdist_group("tools")

PACKAGES = "git gcc make libc6-dev perl sqlite3 tmux vim-tiny emacs-nox bsdutils gdb strace"


@pytest.fixture(scope="module")
def debian(guests):
    """A container with the packages, installed in it by apt-get as emulated root."""
    container = guests.fresh("bookworm")
    script = f"export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q -y install --no-install-recommends {PACKAGES}"
    outcome = container.run("sh", "-c", script)
    assert outcome.status == 0, outcome
    yield container
    guests.udocker.run("rm", "-f", container.id)


def test_packages_are_whole(debian):
    assert debian.run("dpkg", "-V").out == ""
    assert debian.sh("dpkg --audit; dpkg-query -W -f '${db:Status-Status}\\n' git gcc | sort -u") == "installed"


def test_git(debian):
    script = """set -e
cd "$(mktemp -d)"; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
git -c init.defaultBranch=main init -q from
for i in $(seq 300); do mkdir from/d$i; echo $i > from/d$i/f; ln -s f from/d$i/l; done
git -C from add .; git -C from commit -qm first; chmod 755 from/d1/f; git -C from commit -qam second
for origin in "$PWD/from" "file://$PWD/from"; do
  git clone -q "$origin" to; git -C to fsck --strict --no-progress; git -C to gc -q; git -C to status --porcelain
  diff -r -x .git from to; git -C to log --format=%s; test -x to/d1/f; rm -r to
done"""
    assert debian.sh(script).split() == ["second", "first"] * 2


def test_tar_of_usr(debian):
    script = """set -e
cd "$(mktemp -d)"; tar -cf usr.tar -C / usr; tar -tf usr.tar | wc -l; find /usr | wc -l
tar -xpf usr.tar; tar -df usr.tar; tar -df usr.tar -C /
list() { find . ! -type d -printf '%P %y %m %U:%G %s %T@ %l\\n' | sort; find . -type d -printf '%P %y %m %U:%G\\n' | sort; }
(cd /usr; list) > one; (cd usr; list) > two; sed -i 's/[.][0-9]* / /' one two; cmp one two"""
    counts = debian.sh(script).split()
    assert len(counts) == 2 and counts[0] == counts[1] and int(counts[0]) > 10000


def test_compiler(debian):
    script = r"""set -e
cd "$(mktemp -d)"
for i in $(seq 60); do printf '#include <stdio.h>\n#include <stdlib.h>\nint f%d(void) { return %d; }\n' $i $i > f$i.c; done
{ seq -f 'int f%g(void);' 60; echo 'int printf(const char*, ...); int main(void) { return printf("%d ", 0'; seq -f '+ f%g()' 60; echo ') != 5; }'; } > main.c
printf 'objects = $(patsubst %%.c,%%.o,$(wildcard *.c))\nsum: $(objects)\n\t$(CC) $(LDFLAGS) -o $@ $^\n' > Makefile
make -s -j4; ./sum; rm sum; make -s LDFLAGS=-static; ./sum; make -n"""
    assert debian.sh(script) == "1830 1830 make: 'sum' is up to date."


def test_perl(debian):
    script = ('use IPC::Open3; my $n = 0; find(sub { $n++ }, "/usr/share/perl"); '
              'my $pid = open3(my $in, my $out, undef, "cat"); print $in "line\\n"; close $in; print <$out>; '
              'my $child = fork // die; exit 3 if !$child; waitpid $child, 0; print $? >> 8, " ", $n > 100, " ", scalar getpwuid $<')
    assert debian.ok("perl", "-MFile::Find", "-e", script) == "line\n3 1 root"


def test_sqlite(debian):
    script = "create table t(a); pragma journal_mode=wal; insert into t values (1), (2), (3); select sum(a) from t; vacuum; pragma integrity_check"
    assert debian.sh('sqlite3 "$(mktemp -d)/x" "$1"', script).split() == ["wal", "6", "ok"]


def test_editors(debian):
    assert debian.sh("cd \"$(mktemp -d)\"; echo hello > f; vi -es -N -u NONE -c '%s/hello/world/' -c wq f; cat f") == "world"
    lisp = '(progn (find-file "f") (insert "text") (save-buffer) (princ (shell-command-to-string "id -un; cat f")))'
    assert debian.run("sh", "-c", 'cd "$(mktemp -d)"; emacs -Q --batch --eval "$1"', "sh", lisp).out == "root\ntext"


def test_terminals(debian):
    assert debian.sh("script -qec 'test -t 0 && id -un' /dev/null").strip() == "root"
    script = """cd "$(mktemp -d)"; mkfifo done; tmux -L t new-session -d 'tty > "$PWD/tty"; cat done'
: > done; while test ! -s tty; do :; done; cat tty; tmux -L t kill-server 2>/dev/null || true"""
    assert debian.sh(script).startswith("/dev/pts/")


@pytest.mark.parametrize("command", [("gdb", "-q", "-nx", "-batch", "-ex", "run", "true"), ("strace", "true")], ids=["gdb", "strace"])
def test_tracers_are_told_that_they_may_not(debian, command):
    """ptrace(2) is not available inside; it fails as the kernel does it for a process that is traced already."""
    outcome = debian.run(*command)
    assert outcome.status != 0 and "Operation not permitted" in outcome.err, outcome
