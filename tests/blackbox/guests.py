"""Containers to run things in: made once for all tests that only look, or anew for a test that changes its tree."""
from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Callable

import oci
from product import Outcome, Udocker


class Container:
    """One container of the product; each call runs one command in it."""

    def __init__(self, udocker: Udocker, name: str):
        self.udocker = udocker
        self.id = name

    @property
    def root(self) -> pathlib.Path:
        return self.udocker.top / "containers" / self.id / "ROOT"

    def words(self, options: tuple, command: tuple) -> list:
        """The words of `udocker run` behind the general options; only errors are told."""
        return ["-q", "run", *options, self.id, *command]

    def run(self, *command, options: tuple = (), **how) -> Outcome:
        return self.udocker.run(*self.words(options, command), **how)

    def ok(self, *command, options: tuple = (), **how) -> str:
        """Runs a command that must succeed and say nothing on stderr; returns what it wrote."""
        outcome = self.udocker.ok(*self.words(options, command), **how)
        assert outcome.err == "", f"should have been silent on stderr\n{outcome}"
        return outcome.out

    def sh(self, script: str, *arguments, options: tuple = (), **how) -> str:
        """Runs a script of the guest's shell that must succeed silently; returns its output without the last newline."""
        return self.ok("sh", "-c", script, *(("sh", *arguments) if arguments else ()), options=options, **how).removesuffix("\n")

    def python(self, script: str, *arguments, options: tuple = (), **how) -> str:
        return self.ok("python3", "-c", script, *arguments, options=options, **how).removesuffix("\n")

    def fails(self, *command, options: tuple = (), status: int = 2, **how) -> str:
        """Runs a command that must not start, with one line that says why; returns the line."""
        return self.udocker.fails(*self.words(options, command), status=status, **how).err

    def start(self, *command, options: tuple = (), **how) -> subprocess.Popen:
        return self.udocker.start(*self.words(options, command), **how)


class Guests:
    """The containers of one repository, by the names of images.py."""

    def __init__(self, udocker: Udocker, registry, layout: Callable[[str], pathlib.Path], pushed: Callable[[str], str]):
        self.udocker = udocker
        self._registry, self._layout, self._pushed = registry, layout, pushed
        self._shared: dict[str, Container] = {}

    def image(self, name: str) -> str:
        """The reference of an image that has been pulled."""
        reference = self._pushed(name)
        if self.udocker.run("inspect", reference).status != 0:
            self.udocker.ok("-q", "pull", reference)
        return reference

    def fresh(self, name: str = "busybox", *options: str) -> Container:
        """A container of its own for a test that changes it."""
        return Container(self.udocker, self.udocker.create(self.image(name), *options))

    def shared(self, name: str) -> Container:
        """A container for tests that leave it as it is, /tmp apart."""
        if name not in self._shared:
            self._shared[name] = self.fresh(name)
        return self._shared[name]

    def configured(self, base: str = "busybox", **config) -> str:
        """The reference of an image in the registry with the layers of `base` and this configuration (Env, Cmd, ..)."""
        layers = layers_of(self._layout(base))
        made = oci.image(layers, {"Env": ["PATH=/bin:/usr/bin"], **config})
        return oci.push(self._registry, "guests/configured", made.manifest.digest[7:19], made)

    def fresh_configured(self, base: str = "busybox", **config) -> Container:
        """A container of such an image."""
        reference = self.configured(base, **config)
        self.udocker.ok("-q", "pull", reference)
        return Container(self.udocker, self.udocker.create(reference))


def layers_of(layout: pathlib.Path) -> list[oci.Blob]:
    """The layers of the one image of an OCI layout."""
    def blob(descriptor: dict) -> bytes:
        return (layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()

    manifest = json.loads(blob(json.loads((layout / "index.json").read_text())["manifests"][0]))
    diff_ids = json.loads(blob(manifest["config"]))["rootfs"]["diff_ids"]
    return [oci.Blob(blob(layer), layer["mediaType"], diff_id=diff_id)
            for layer, diff_id in zip(manifest["layers"], diff_ids, strict=True)]
