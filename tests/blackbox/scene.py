"""A small repository with something of everything, and the commands that change it, to be run under adverse conditions:
what each makes of the repository is known from a run that nothing disturbs."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

import archives
import oci
from oci import file, folder, hardlink, symlink, tar_layer
from product import UUID, Outcome, Udocker
from registry_front import Basic, Front, StaticRegistry

BASE = tar_layer([folder("etc"), file("etc/a", b"base", uid=7), symlink("etc/l", "a"), hardlink("etc/h", "etc/a"),
                  folder("bin"), file("bin/su", b"#!", mode=0o4755)])
TOP = tar_layer([file("etc/b", b"top"), oci.whiteout("etc/h")])
OTHER = tar_layer([file("etc/c", b"other" * 50_000)])
TREE = [folder("etc"), file("etc/a", b"tree", gid=42), hardlink("etc/h", "etc/a")]
CLONE = [folder("."), folder("./ROOT"), file("./ROOT/f", b"x"), file("./container.json", b'{"config": {}}'),
         file("./imagerepo.name", b"a:b"), file("./execmode", b"P2")]
IN_GUEST = ("--nobanner", "--volume=/bin/busybox:/bin/busybox")
SECRET = "a password"
NEUTRAL = "[0-9a-f]{64}|" + UUID.pattern.replace("(", "(?:")


@dataclasses.dataclass
class Case:
    """A command; {one}, {files} and the like in its words are what the scene has."""

    words: list[str]
    stdin: bytes = b""
    # What it says when everything was done already, by the run that was killed.
    done: str = "nothing of the kind"


ONE, TWO, MOVED, BROKEN, STEADY = ("{host}/scene/" + name + ":1" for name in ("one", "two", "moved", "broken", "steady"))
CASES = {
    "pull": Case(["pull", TWO]),
    "pull moved tag": Case(["pull", MOVED]),
    "create": Case(["create", ONE]),
    "create named": Case(["create", "--name=new", ONE], done="name already exists: new"),
    "run image": Case(["run", "--rm", *IN_GUEST, ONE, "/bin/busybox", "chown", "12:34", "/etc/a"]),
    "run container": Case(["run", "--name=again", *IN_GUEST, "box", "/bin/busybox", "chown", "12:34", "/etc/a"]),
    "load": Case(["load", "-i", "{files}/saved.tar"], done="tag already exists in repo: some/saved:[12]"),
    "import": Case(["import", "{files}/tree.tar", "some/tree:1"], done="tag already exists in repo: some/tree:1"),
    "import moved": Case(["import", "--mv", "{files}/tree.tar", "some/tree:1"], done="tag already exists in repo: some/tree:1|does not exist"),
    "import container": Case(["import", "--tocontainer", "--name=tree", "{files}/tree.tar"], done="name already exists: tree"),
    "import clone": Case(["import", "--clone", "--name=clone", "{files}/clone.tar"], done="name already exists: clone"),
    "save": Case(["save", "-o", "{home}/out.tar", ONE, MOVED], done="output file already exists"),
    "tag": Case(["tag", ONE, "new/name:1"], done="new/name:1 exists already|already exists"),
    "protect image": Case(["protect", ONE]),
    "protect container": Case(["protect", "box"]),
    "unprotect": Case(["unprotect", "kept"]),
    "name": Case(["name", "box", "newname"], done="newname"),
    "rename": Case(["rename", "box", "newname"], done="box"),
    "rmname": Case(["rmname", "box"], done="box"),
    "mkrepo": Case(["mkrepo", "{home}/deep/repository"], done="localrepo directory already exists"),
    "setup": Case(["setup", "--execmode=P2", "box"]),
    "login": Case(["login", "--username=someone", "--password-stdin", "--registry={guarded}"], stdin=SECRET.encode()),
    "logout": Case(["logout", "other.example"], done="there are none for"),
    "logout all": Case(["logout", "-a"]),
    "repair": Case(["verify", "--repair", BROKEN]),
    "rm": Case(["rm", "box"], done="box"),
    "rmi": Case(["rmi", ONE], done="one"),
}


class Scene:
    """The work folder is made anew from a master copy for each use, always at the same place: names in it are absolute."""

    def __init__(self, executable: pathlib.Path, registry, folder_: pathlib.Path):
        self.work, self.master = folder_ / "work", folder_ / "master"
        self.udocker = Udocker(executable, self.work / "home")
        self.temporary = self.work / "tmp"
        self.udocker.environment["TMPDIR"] = str(self.temporary)
        self._guard = Front(StaticRegistry(), [Basic({"someone": SECRET})])
        self._guard.__enter__()
        self._names = {"host": registry.host, "guarded": self._guard.host, "files": str(self.work / "files"), "home": str(self.work / "home")}
        self._build(registry)
        self._known: set[str] = set()
        self._known = set(re.findall(NEUTRAL, "\n".join(map(str, self.tree()))))
        self.before = self.tree()
        self._after: dict[str, list] = {}
        self._made: dict[str, int] = {}  # containers that stay

    def close(self) -> None:
        self._guard.__exit__(None, None, None)

    def fill(self, text: str) -> str:
        return text.format(**self._names)

    def _build(self, registry) -> None:
        files = self.work / "files"
        for path in (files, self.temporary):
            path.mkdir(parents=True)
        u = self.udocker
        for name, layers in (("one", [BASE, TOP]), ("two", [BASE, OTHER]), ("moved", [BASE]), ("steady", [BASE]),
                             ("broken", [BASE, tar_layer([file("x", b"x" * 500)])])):
            oci.push(registry, f"scene/{name}", "1", oci.image(layers))
            if name != "two":
                u.ok("pull", f"{registry.host}/scene/{name}:1")
        oci.push(registry, "scene/moved", "1", oci.image([TOP, OTHER]))
        u.ok("create", "--name=box", self.fill(ONE))
        u.ok("create", "--name=kept", self.fill(ONE))
        u.ok("protect", "kept")
        blob = next(path for path in (u.top / "repos" / self.fill(BROKEN).replace(":1", "/1")).iterdir()
                    if path.resolve().name == tar_layer([file("x", b"x" * 500)]).digest).resolve()
        blob.write_bytes(b"damaged")
        u.ok("login", "--username=someone", "--password-stdin", f"--registry={self._guard.host}", stdin=SECRET.encode())
        keystore = u.top / "keystore"
        keystore.write_text(keystore.read_text().replace(self._guard.host, "other.example"))
        saved = [oci.image([tar_layer([file("f", text * 3000)], "none"), tar_layer([file("g", b"shared")], "none")], docker=True) for text in (b"1", b"2")]
        (files / "saved.tar").write_bytes(oci.tar_bytes(archives.docker_save([(["some/saved:1"], saved[0]), (["some/saved:2"], saved[1])])))
        (files / "tree.tar").write_bytes(oci.tar_bytes(TREE))
        (files / "clone.tar").write_bytes(oci.tar_bytes(CLONE))
        subprocess.run(["cp", "-a", self.work, self.master], check=True)

    def restore(self) -> None:
        subprocess.run(["chmod", "-R", "u+rwx", self.work], check=True)
        shutil.rmtree(self.work)
        subprocess.run(["cp", "-a", self.master, self.work], check=True)

    def run(self, name: str, prefix: list[str] | None = None) -> Outcome:
        case = CASES[name]
        return self.udocker.run(*map(self.fill, case.words), stdin=case.stdin, prefix=prefix)

    # ---- looking at it ----------------------------------------------------------------------------------------

    def _neutral(self, text: str) -> str:
        """Without what is new in every run: ids of containers, digests of what has a time in it."""
        text = re.sub(r'"created": ?"[^"]*"', '"created"', text)
        return re.sub(NEUTRAL, lambda match: match[0] if match[0] in self._known else "NEW", text)

    def _content(self, path: pathlib.Path) -> str:
        if path.is_symlink():
            return "-> " + os.readlink(path)
        return path.read_bytes().decode("latin-1") if path.is_file() else ""

    def tree(self) -> list[tuple]:
        """Everything in the home and the folder for temporary files; the store's folders of work may come."""
        seen = []
        for top in (self.work / "home", self.temporary):
            for path in top.rglob("*"):
                if ".state" in path.parts and path.is_dir():
                    if path.name in (".state", "repos", "layers", "containers", "manifests"):
                        continue
                text = str(path.relative_to(self.work))
                content = self._content(path)
                if self._known:
                    text, content = self._neutral(text), self._neutral(content)
                seen.append((text, f"{path.lstat().st_mode:o}", content))
        return sorted(seen)

    def after(self, name: str) -> list[tuple]:
        """What the repository is when the command was not disturbed."""
        if name not in self._after:
            self.restore()
            outcome = self.run(name)
            assert outcome.status == 0, str(outcome)
            self._after[name] = self.tree()
            self._made[name] = sum(container not in self._known for container in self.containers())
        return self._after[name]

    def check_whole(self) -> None:
        """Every image and container that is listed is all there."""
        broken = self.fill(BROKEN)
        images = [line.split()[0] for line in self.udocker.ok("images").lines[1:]]
        assert images, "there are always some"
        for image in images:
            if image != broken:
                self.udocker.ok("verify", image)
        for container in self.containers():
            self.udocker.ok("inspect", container)
            assert self.udocker.root_of(container).is_dir()

    def containers(self) -> list[str]:
        return self.udocker.ok("ps", "--format={{.ID}}").lines

    def settle(self, name: str) -> None:
        """What anybody does next removes what dead processes left. A process that was killed when its container was
        whole, and the second try, have made two."""
        u = self.udocker
        self.after(name)
        new = [container for container in self.containers() if container not in self._known]
        for container in new[self._made[name]:]:
            u.ok("rm", "-f", container)
        self._grow_old()
        u.ok("pull", self.fill(STEADY))
        u.ok("rm", u.create(self.fill(STEADY)))

    def _grow_old(self) -> None:
        """What a pull has fetched waits a day for the next one."""
        for path in (self.udocker.top / ".state").rglob("*"):
            os.utime(path, (0, 0), follow_symlinks=False)
