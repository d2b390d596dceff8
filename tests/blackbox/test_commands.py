"""Commands that people use, in a container and in a namespace chroot of the same tree, both as root: output, exit status
and the tree that they leave must be equal. Times are normalised by the commands; of owners the namespace has one."""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from guests import Container
from product import HANG_LIMIT

pytestmark = [pytest.mark.slow, pytest.mark.requires("user-namespaces")]

# Each runs in a folder of its own that prepare() has filled. Nothing that depends on the time, on process numbers or on
# who else uses the machine.
COMMANDS = {
    "ls": "ls -laRn --time-style=+ . | sed '/^total/d'",
    "ls-colours": "ls --color=always -F -1 . sub; ls -di --zero sub | tr -d '0-9'",
    "stat": "stat -c '%n %F %a %s %h %u %g %t %T' * sub/* /bin/sh /etc/passwd",
    "stat-file-system": "stat -f -c '%T %l %S' . /proc; stat -L -c '%F %N' to-file to-dir dangling",
    "find-printf": "find . -printf '%P %y %Y %m %s %n %l\\n' | sort",
    "find-tests": "find . \\( -type l -o -empty -o -perm /111 -o -name '*.txt' -o -size +1k \\) -print | sort",
    "find-exec": "find sub -type f -exec sh -c 'echo $1; wc -c < $1' _ {} \\; ; find . -name '*.txt' -execdir echo {} +",
    "find-delete": "find . -name '*.txt' -newermt 2000-01-01 -delete; find . -depth -type d -empty -delete; ls -A",
    "tar": "tar -cf - --sort=name . | tar -tvf - --utc | sort",
    "tar-extract": "tar -cf t.tar sub to-file hard; mkdir out; tar -C out -xpf t.tar; rm t.tar; diff -r sub out/sub && echo same",
    "tar-xz": "tar -cJf t.tar.xz sub; tar -tJf t.tar.xz | sort; rm t.tar.xz",
    "cp-archive": "cp -a sub copy; cp -a hard linked copy; stat -c '%n %h %Y %a' copy/hard copy/script; diff -r sub/deep copy/deep",
    "cp-options": "cp -L to-file followed; cp -P to-file kept; cp -rs $PWD/sub links; cp -l file.txt second; cp --parents sub/deep/leaf up 2>&1",
    "cp-to-another": "cp -rT sub again; cp -r sub nothing/at/all 2>&1; echo $?; ls again",
    "rsync": "rsync -aH --itemize-changes ./ out/ --exclude=out; rsync -aH --delete --itemize-changes sub/ out/sub/",
    "mv": "mkdir m; mv file.txt m/; mv -n sub/script m/file.txt; mv -T sub m/sub; mv -b m/file.txt m/sub/; mv nothing m 2>&1",
    "mv-across": "mv sub /tmp/moved-$$ && mv /tmp/moved-$$ back && ls -R back",
    "ln": "ln file.txt again; ln -s sub/deep/leaf soft; ln -sfn / soft; ln -sr sub/script relative; ln sub no 2>&1; readlink soft relative",
    "readlink": "readlink -f to-file dangling to-dir/../file.txt; readlink -e dangling; echo $?; readlink -m a/b/../c; readlink sub",
    "realpath": "realpath to-dir/deep .. //etc/./passwd; realpath -s to-dir/deep; realpath --relative-to=/usr/bin sub",
    "install": "install -d -m 750 a/b/c; install -m 4755 sub/script a/b; install -D -t x/y file.txt; stat -c '%a %n' a/b/* x/y/*",
    "mktemp": "d=$(mktemp -d); f=$(mktemp -p $d XXX.tmp); stat -c %a $d $f; test -w $f && echo writable; rm -r $d",
    "chmod": "chmod -R go-rwx,u=rwX,+t sub; chmod --reference=sub/script file.txt; chmod 0 big; wc -c < big; stat -c '%a %n' sub file.txt big",
    "chmod-set-id": "chmod u+s sub/script; chmod g+s sub; mkdir sub/new; touch sub/new/f; stat -c '%a %n' sub sub/script sub/new; cp -p sub/script copy; stat -c %a copy",
    "chgrp-own": "chown 0:0 file.txt; chown -h root dangling; chgrp -R root sub; stat -c '%u %g %n' file.txt dangling sub",
    "touch": "touch -d @86400 file.txt; touch -h -d @5 dangling; touch -c none; touch -r file.txt new; stat -c '%Y %n' file.txt dangling new",
    "du": "du -a --apparent-size -b sub | sort -k2; du -sh --apparent-size big; du --inodes -s sub",
    "dd": "dd if=big of=part bs=100 skip=3 count=4 seek=2 status=none; dd if=/dev/zero of=zero bs=1k count=3 conv=notrunc status=none; cksum part zero",
    "truncate": "truncate -s 10K file.txt; truncate -s -1K file.txt; truncate -s 3 new; truncate -r big sub/script; stat -c '%s %n' file.txt new",
    "shred": "shred -n 1 -z -u big && ls; shred none 2>&1; echo $?",
    "split": "split -b 1000 -d big piece.; cat piece.* | cmp - big && ls piece.*; csplit -s -z file.txt /line/ '{*}'; ls",
    "mkfifo": "mkfifo -m 640 pipe; cat big > pipe & wc -c < pipe; wait; stat -c '%F %a' pipe; mknod second p; mkfifo pipe 2>&1",
    "rm": "rm -r sub; rm big to-dir; rm none 2>&1; rm . 2>&1; rm -f none; ls; rmdir /proc 2>&1; rm -r / 2>&1 | tail -n 1",
    "mkdir": "mkdir -p -m 700 a/b/c; mkdir a 2>&1; mkdir file.txt/x 2>&1; mkdir -v a/d; rmdir -p a/b/c 2>&1; stat -c '%a %n' a a/*",
    "unlink-link": "unlink to-file; link file.txt l; stat -c %h l; unlink sub 2>&1; sync file.txt; pathchk -p 'a b' 2>&1",
    "grep": "grep -rn line . | sort; grep -c . file.txt; grep -L zzz -r sub | sort; grep x none 2>&1; echo $?",
    "sed": "sed -i.bak -e 's/line/LINE/' -e '2d' file.txt; cat file.txt file.txt.bak; sed -n '$=' big; sed -i s/a/b/ to-file; ls -F",
    "awk": "awk '{ n += length($0); print NR, FILENAME > \"out\" } END { print n; system(\"cat out\"); close(\"out\") }' file.txt",
    "sort": "sort -r file.txt | uniq -c; seq 3000 | shuf --random-source=big | sort -n -S 1k -T . | md5sum; sort -o file.txt -u file.txt file.txt; cat file.txt",
    "text": "cut -c1-3 file.txt | paste -s -d, | tr a-z A-Z; comm -12 file.txt hard; join file.txt file.txt; fold -w 5 file.txt | head -n 3; nl file.txt; tac file.txt",
    "checksums": "md5sum file.txt sub/script > sums; sha256sum -b big; md5sum -c sums; echo x >> file.txt; md5sum -c sums 2>&1; od -c file.txt | tail -n 2",
    "xargs": "seq 1 500 | xargs -n 50 -P 4 echo | wc -w; find . -type f -print0 | sort -z | xargs -0 -I% basename %",
    "diff": "cp file.txt new; echo more >> new; diff -u --label a --label b file.txt new; diff -rq sub to-dir; cmp file.txt new 2>&1",
    "patch": "cp file.txt new; echo more >> new; diff -u --label a --label b file.txt new > p; patch file.txt < p; patch -R -b file.txt < p; cat file.txt; ls",
    "gzip": "gzip -nk big; gzip -t big.gz; zcat big.gz | cmp - big; gzip -9n file.txt hard 2>&1; gunzip -l big.gz | cut -c1-30; ls",
    "xz": "xz -k big; xz -t big.xz && xzcat big.xz | cksum; xz big; xz -l --robot big.xz | head -n 1 | cut -f1",
    "cpio": "find sub | sort | cpio -o -H newc 2>/dev/null > a.cpio; mkdir x; cd x; cpio -idm < ../a.cpio 2>&1; find . | sort; rm ../a.cpio",
    "identity": "id; id -un; whoami; groups; logname 2>&1; getent passwd root daemon; getent group 42; umask; test -r /etc/shadow && echo readable",
    "environment": "env -i A=b env; env -i sh -c 'pwd; pwd -P; cd to-dir; pwd; pwd -P; cd -L ..; pwd'; cd sub; pwd -P; printenv NOTHING; echo $?",
    "bash": "bash -c 'shopt -s globstar nullglob dotglob; echo **; for f in {a..c}; do echo $f > $f; done; cat < <(sort a b); "
            "mapfile -t x < file.txt; echo ${#x[@]} ${x[1]^^}; [[ -L to-file && file.txt -ef hard ]] && echo ef; exec 7<>rw; echo in >&7; cat rw'",
    "shell": "set -- a b c; while [ $# -gt 0 ]; do echo $1; shift; done; trap 'echo bye' EXIT; (exit 3); echo $?; cat <<E | wc -l\nx\ny\nE\n"
             "set -C; echo x > file.txt; echo $?; test -e dangling; echo $?; test -h dangling; echo $?; kill -l 15",
    "programs": "./sub/script one; ./sub/none 2>&1; ./file.txt 2>&1; echo $?; ./sub 2>&1; echo $?; PATH=$PWD/sub script two; sub/../sub/script three",
    "perl": "perl -MFile::Find -MCwd=abs_path,getcwd -e 'find(sub { push @n, $File::Find::name }, \".\"); print join(\"\\n\", sort @n), \"\\n\"; "
            "rename \"file.txt\", \"renamed\" or die; print -s \"renamed\", \" \", readlink(\"to-file\"), \" \", abs_path(\"to-dir\"), \"\\n\"; "
            "open my $f, \"<\", \"none\" or print \"$!\\n\"; mkdir \"x\", 0711; printf \"%o\\n\", (stat \"x\")[2]; print glob(\"s*\"), \"\\n\"'",
    "python": "python3 -c 'import os, pathlib, shutil, tempfile, glob\n"
              "for top, dirs, files in sorted(os.walk(\".\")): print(top, sorted(dirs), sorted(files))\n"
              "shutil.copytree(\"sub\", \"copy\", symlinks=True); shutil.rmtree(\"sub\"); shutil.move(\"copy\", \"moved\")\n"
              "print(os.path.realpath(\"to-dir\"), os.path.samefile(\"file.txt\", \"hard\"), sorted(glob.glob(\"**\", recursive=True)))\n"
              "with tempfile.NamedTemporaryFile(dir=\".\") as f: print(oct(os.stat(f.name).st_mode))\n"
              "print(pathlib.Path(\"to-file\").read_text(), os.access(\"moved/script\", os.X_OK), os.scandir)' | sed 's/built-in.*//'",
    "git": "export GIT_AUTHOR_DATE=@1000000+0000 GIT_COMMITTER_DATE=@1000000+0000 GIT_CONFIG_GLOBAL=$PWD/config; git config --global user.name n; "
           "git config --global user.email e@localhost; git config --global init.defaultBranch main; git init -q r; cd r; cp -a ../sub ../to-file .; "
           "git add -A; git commit -qm first; echo x >> sub/script; git commit -qam second; git log --stat --oneline; cd ..; "
           "git clone -q r c 2>&1; cd c; git status -s; git rev-parse HEAD; git checkout -q HEAD~1; git diff --stat main; git fsck; cd ..; rm -rf r/.git c/.git",
    "gcc": "printf '#include <stdio.h>\\nint main(int c, char** v) { return printf(\"%%d %%s\\\\n\", c, v[1]) - 4; }' > m.c; gcc -O1 -Wall -o m m.c && ./m x; "
           "echo $?; gcc -static -o s m.c; ./s y; gcc -E none.c 2>&1 | tail -n 1; file -b m | cut -d, -f1-2; ldd m | sed 's/(.*//'",
    "make": "printf 'all: a b\\n%%: %%.in\\n\\tcp $< $@\\nclean:\\n\\trm -f a b\\n' > Makefile; echo 1 > a.in; echo 2 > b.in; make -j2 all | sort; make; make clean; "
            "make none 2>&1; make -n all",
    "ar-ld": "echo 'int f(void) { return 7; }' > f.c; gcc -c f.c; ar rcD libf.a f.o; ranlib -D libf.a; ar t libf.a; nm libf.a; "
             "echo 'int f(void); int main(void) { return f(); }' > m.c; gcc m.c -L. -lf -o m; ./m; echo $?; strip m; size f.o | cut -f1; rm m",
    "ldconfig": "ldconfig -p | head -n 5; ldconfig -N -X -v 2>/dev/null | head -n 3; getconf PATH; ldd /bin/ls | sed 's/(.*//'",
    "dpkg-list": "dpkg -l | md5sum; dpkg -S /bin/sh /usr/bin/perl; dpkg -L sed | sort | md5sum; dpkg -s bash | grep ^Version; dpkg -S /none 2>&1; echo $?",
    "dpkg-query": "dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n' | md5sum; dpkg --print-architecture; dpkg --compare-versions 1 lt 2; echo $?; dpkg -V sed",
    "dpkg-build": "mkdir -p p/DEBIAN p/opt; echo hi > p/opt/f; printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m <m@localhost>\\nDescription: d\\n' > p/DEBIAN/control; "
                  "dpkg-deb --root-owner-group -b p p.deb > /dev/null; dpkg -i p.deb 2>&1 | grep -v Reading; cat /opt/f; dpkg -r p 2>&1 | grep -v Reading; ls /opt; rm p.deb",
    "apt-cache": "apt-cache policy bash | head -n 2; apt-cache showpkg sed | head -n 1; apt-cache depends bash | head -n 3; apt-mark showmanual | md5sum; apt-config dump Dir::Etc",
    "alternatives": "update-alternatives --display awk | head -n 2; update-alternatives --install /usr/bin/thing thing $PWD/sub/script 5; thing x; update-alternatives --remove thing $PWD/sub/script; "
                    "ls /usr/bin/thing 2>&1",
    "ed-bc-file": "printf '1s/line/ed/\\nw\\nq\\n' | ed -s file.txt; cat hard; echo '2^70; scale=5; 1/3' | bc; file -b sub/script file.txt sub to-file dangling",
    "proc": "readlink /proc/self/cwd /proc/self/exe; cat /proc/self/comm; ls -d /proc/self/root/etc /proc/self/fd/0; tr '\\0' ' ' < /proc/self/cmdline; "
            "grep -E '^(Name|Uid|Gid|Threads|Umask)' /proc/self/status; head -c 4 /proc/self/exe | od -c | head -n 1",
    "long-names": "n=$(printf '%0255d' 0); touch $n; mkdir ${n%0}1; ls | wc -c; touch ${n}0 2>&1 | wc -c; p=.; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
                  "mkdir ${n%0}2 && cd -P ${n%0}2 || exit 1; done; echo deep > f; cat f; cd ..; ls | wc -l; cd /work/long-names; rm -r 0*2; ls | wc -l",
}


def prepare(folder: pathlib.Path) -> None:
    """A few files of every kind, the same each time."""
    (folder / "sub/deep").mkdir(parents=True)
    (folder / "file.txt").write_text("".join(f"line {i}\n" for i in range(1, 8)))
    (folder / "big").write_text("".join(f"{i * 7919 % 10007}\n" for i in range(2000)))
    (folder / "sub/script").write_text("#!/bin/sh\necho \"script $*: $0\"\n")
    (folder / "sub/script").chmod(0o755)
    (folder / "sub/deep/leaf").write_text("leaf\n")
    (folder / "sub/deep/.hidden").write_text("")
    os.link(folder / "file.txt", folder / "hard")
    os.link(folder / "sub/deep/leaf", folder / "linked")
    (folder / "to-file").symlink_to("file.txt")
    (folder / "to-dir").symlink_to("sub")
    (folder / "dangling").symlink_to("nowhere/at/all")
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)


def tree_of(root: pathlib.Path) -> dict[str, str]:
    """Every file of a tree with type, permissions of others, size and target. What emulation keeps beside the tree is
    told by find inside."""
    seen = {}
    pending = [str(root)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                extra = os.readlink(entry.path) if entry.is_symlink() else status.st_size if entry.is_file() else ""
                seen[os.path.relpath(entry.path, root)] = f"{status.st_mode & 0o171077:o} {extra}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
    return seen


class Pair:
    """A container and a namespace chroot of a copy of its tree."""

    def __init__(self, container: Container, root: pathlib.Path):
        self.container, self.root = container, root
        subprocess.run(["cp", "-a", container.root, root], check=True)

    def run(self, script: str) -> list[tuple[int, str]]:
        words = ["/bin/sh", "-c", script]
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                       "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        reference = [sys.executable, "-I", str(pathlib.Path(__file__).with_name("namespaces.py")), "-v", "/proc:/proc",
                     "-v", "/dev:/dev", "-v", "/sys:/sys", str(self.root), "/usr/bin/env", "-i",
                     *(f"{name}={value}" for name, value in environment.items()), *words]
        options = ["--env=" + f"{name}={value}" for name, value in environment.items()]
        engine = [str(word) for word in self.container.udocker.command("-q", "run", *options, self.container.id, *words)]
        outcomes = []
        for command in (reference, engine):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=HANG_LIMIT, env=self.container.udocker.environment, check=False)
            outcomes.append((done.returncode, done.stdout.decode(errors="backslashreplace")))
        return outcomes

    def differing(self) -> dict[str, tuple[str | None, str | None]]:
        expected, got = tree_of(self.root), tree_of(self.container.root)
        return {path: (expected.get(path), got.get(path)) for path in sorted({*expected, *got})
                if expected.get(path) != got.get(path)}


@pytest.fixture(scope="module")
def pair(guests, tmp_path_factory):
    return Pair(guests.fresh("workshop"), tmp_path_factory.mktemp("reference") / "root")


@pytest.mark.parametrize("name", COMMANDS)
def test_command(pair, name):
    before = pair.differing()
    for root in (pair.root, pair.container.root):
        prepare(root / "work" / name)
    script = f"cd /work/{name}\n{COMMANDS[name]}\necho status $?\n" \
             f"cd /work/{name} && find . -printf '%P %y %m %s %n %l\\n' | sort; find . -type f -exec cksum {{}} + | sort -k3"
    expected, got = pair.run(script)
    assert got == expected
    assert pair.differing() == before
