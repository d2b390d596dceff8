#!/usr/bin/python3
"""What the product is compared with: a program in a real root directory, by user and mount namespaces.

    namespaces.py [-u UID:GID] [-v HOST:GUEST[:ro]]... ROOT PROGRAM [ARGUMENT...]

The user who runs it is UID and GID inside (root unless said otherwise), all other owners are nobody. Mount points must
exist; later mounts may lie in earlier ones.
"""
from __future__ import annotations

import ctypes
import os
import pathlib
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)


def mount(host: str, place: str, flags: int) -> None:
    check(libc.mount(os.fsencode(host), os.fsencode(place), None, ctypes.c_ulong(flags), None), place)


def bind(host: str, place: str, read_only: bool) -> None:
    mount(host, place, MS_BIND | MS_REC)
    if read_only:
        kept = os.statvfs(place).f_flag & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME |
                                           os.ST_NODIRATIME | os.ST_RELATIME)
        # The names of statvfs(3) and the flags of mount(2) have the same values but for the last one.
        flags = kept & ~os.ST_RELATIME | (0x200000 if kept & os.ST_RELATIME else 0)
        mount(host, place, MS_BIND | MS_REMOUNT | MS_RDONLY | flags)


def enter(uid: int, gid: int) -> None:
    outside = os.getuid(), os.getgid()
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"{uid} {outside[0]} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"{gid} {outside[1]} 1")


def main(words: list[str]) -> None:
    uid = gid = 0
    binds = []
    while words and words[0] in ("-u", "-v"):
        if words[0] == "-u":
            uid, gid = map(int, words[1].split(":"))
        else:
            binds.append(words[1].split(":"))
        words = words[2:]
    if len(words) < 2:
        sys.exit(__doc__)
    root = os.path.realpath(words[0])
    enter(uid, gid)
    bind(root, root, False)
    for host, guest, *read_only in binds:
        bind(host, root + guest, bool(read_only))
    os.chroot(root)
    os.chdir("/")
    os.execv(words[1], words[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
