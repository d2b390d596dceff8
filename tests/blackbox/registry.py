"""A real registry (Debian's docker-registry) on a free port of the loopback interface, with its data in a scratch folder."""
from __future__ import annotations

import base64
import ctypes
import dataclasses
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

START_LIMIT = 60  # seconds until a process that does not answer counts as hung; not a measure of anything


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent() -> None:
    """Runs in a child: it ends when the tests end, however they end."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclasses.dataclass
class Credentials:
    user: str
    password: str

    def header(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclasses.dataclass
class Tls:
    """A certificate for localhost and 127.0.0.1, and the authority that signed it, as files."""

    authority: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path


def make_tls(folder: pathlib.Path) -> Tls:
    """Makes an authority and a server certificate signed by it."""
    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Test authority",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "server.ext", "-out", "server.pem")
    return Tls(folder / "ca.pem", folder / "server.pem", folder / "server.key")


class Registry:
    """One running docker-registry."""

    def __init__(self, folder: pathlib.Path, tls: Tls | None = None, credentials: Credentials | None = None):
        self.folder = folder
        self.tls = tls
        self.credentials = credentials
        self.process: subprocess.Popen | None = None
        self.port = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def host(self) -> str:
        """What stands before the repository in an image reference."""
        return f"localhost:{self.port}" if self.tls else f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def blobs(self) -> pathlib.Path:
        """Where the registry keeps what was pushed: sha256/xx/<hex>/data."""
        return self.folder / "data/docker/registry/v2/blobs"

    def start(self) -> "Registry":
        """Starts it and waits until it answers; another port is taken when somebody was quicker."""
        for _ in range(10):
            self.port = free_port()
            self._write_configuration()
            with open(self.folder / "log", "wb") as log:
                self.process = subprocess.Popen(
                    ["docker-registry", "serve", str(self.folder / "config.yml")], stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, preexec_fn=die_with_parent)
            if self._wait_until_it_answers():
                return self
            if "address already in use" not in self.log:
                break
        raise RuntimeError(f"docker-registry did not start:\n{self.log[-4000:]}")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def request(self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None):
        """One request with the registry's credentials; an error status raises urllib's HTTPError."""
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
        if self.credentials:
            request.add_header("Authorization", self.credentials.header())
        context = ssl.create_default_context(cafile=str(self.tls.authority)) if self.tls else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        return opener.open(request, timeout=START_LIMIT)

    def copy_from(self, layout: pathlib.Path, name: str, tag: str = "latest", *options: str) -> str:
        """Pushes the image of an OCI layout with skopeo; returns its full reference."""
        words = ["skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", *options]
        if self.credentials:
            words.append(f"--dest-creds={self.credentials.user}:{self.credentials.password}")
        words += [f"oci:{layout}:latest", f"docker://{self.host}/{name}:{tag}"]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "TMPDIR": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)})
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stdout}")
        return f"{self.host}/{name}:{tag}"

    def _write_configuration(self) -> None:
        http: dict = {"addr": f"127.0.0.1:{self.port}"}
        if self.tls:
            http["tls"] = {"certificate": str(self.tls.certificate), "key": str(self.tls.key)}
        configuration: dict = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}, "delete": {"enabled": True}},
            "http": http,
        }
        if self.credentials:
            accounts = self.folder / "htpasswd"
            subprocess.run(["htpasswd", "-Bbc", str(accounts), self.credentials.user, self.credentials.password],
                           check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            configuration["auth"] = {"htpasswd": {"realm": "test realm", "path": str(accounts)}}
        # JSON is YAML.
        (self.folder / "config.yml").write_text(json.dumps(configuration))

    def _wait_until_it_answers(self) -> bool:
        give_up = time.monotonic() + START_LIMIT
        while self.process and self.process.poll() is None and time.monotonic() < give_up:
            # Its own word comes first: on that port somebody else's registry may answer.
            if "listening on" in self.log:
                try:
                    self.request("GET", "/v2/").close()
                    return True
                except (urllib.error.URLError, ConnectionError, TimeoutError):
                    pass
            time.sleep(0.02)
        self.stop()
        return False
