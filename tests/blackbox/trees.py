"""What a directory tree consists of, to compare two of them."""
from __future__ import annotations

import hashlib
import os
import pathlib
import stat


def tree_of(top: pathlib.Path) -> dict[str, tuple]:
    """Every path with its type, mode, size, time, content or target, and which other paths are the same file.

    Files are u+rw and directories u+rwx in ours; set-id bits are nowhere on the disk."""
    seen, first_name = {}, {}
    for folder, folders, files in os.walk(top):
        for name in sorted(folders + files) + (["."] if folder == str(top) else []):
            path = pathlib.Path(folder, name)
            key = str(path.relative_to(top))
            if key.startswith("dev/"):
                continue
            status = path.lstat()
            mode, content = stat.S_IMODE(status.st_mode) & 0o1777, ""
            if stat.S_ISREG(status.st_mode):
                mode |= 0o600
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            elif stat.S_ISDIR(status.st_mode):
                mode |= 0o700
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            same = "" if stat.S_ISDIR(status.st_mode) else first_name.setdefault(status.st_ino, key)
            size = status.st_size if content else 0
            seen[key] = (stat.S_IFMT(status.st_mode), mode, size, status.st_mtime_ns, content, same)
    return seen
