"""A small registry for tests, and the ways in which registries misbehave.

A `Front` is an HTTP or HTTPS server on a free loopback port. What it answers comes from a source (`StaticRegistry` with
content in memory, `Upstream` before a real registry, `TokenServer`), through a list of rules that ask for credentials,
redirect, break connections, falsify bytes, and so on. Everything that was asked is kept.

    content = StaticRegistry()
    content.add("a/b", "t", oci.image([oci.tar_layer([oci.file("etc/motd", b"hello")])]))
    with Front(content, [cut("/blobs/", after=1000, times=1)]) as front:
        ...  front.url, front.host, front.asked("/blobs/")
"""
from __future__ import annotations

import base64
import http.client
import http.server
import json
import re
import select
import socket
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field, replace
from typing import Callable

import oci
from registry import Tls

WAIT_LIMIT = 60  # seconds after which something that does not come counts as hung; not a measure of anything


@dataclass
class Request:
    method: str
    path: str  # with its query
    headers: dict[str, str]  # names in lower case
    body: bytes = b""

    def query(self) -> dict[str, list[str]]:
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query, keep_blank_values=True)

    def form(self) -> dict[str, list[str]]:
        return urllib.parse.parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


@dataclass
class Reply:
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    cut_after: int | None = None  # bytes of the body before the connection is broken
    stall_after: int | None = None  # bytes of the body before nothing more is sent until the client goes away
    chunked: bool = False  # no Content-Length


# What answers a request, or the rest of the chain after a rule.
Source = Callable[[Request], Reply]


def json_reply(document: object, status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", "application/json")], json.dumps(document).encode())


def error(status: int, code: str, message: str = "") -> Reply:
    return json_reply({"errors": [{"code": code, "message": message or code.lower()}]}, status)


class StaticRegistry:
    """Manifests and blobs in memory, served by the pull part of the distribution protocol, ranges included."""

    def __init__(self):
        self.manifests: dict[tuple[str, str], oci.Blob] = {}  # (name, tag or digest)
        self.blobs: dict[str, bytes] = {}
        self.ranges = True

    def add(self, name: str, tag: str, image: oci.Image) -> str:
        """The image by tag (unless that is empty) and by digest; returns the digest."""
        for blob in image.blobs:
            self.blobs[blob.digest] = blob.data
        return self.add_manifest(name, tag, image.manifest)

    def add_manifest(self, name: str, tag: str, manifest: oci.Blob) -> str:
        """A manifest or an index."""
        for reference in filter(None, (tag, manifest.digest)):
            self.manifests[name, reference] = manifest
        return manifest.digest

    def __call__(self, request: Request) -> Reply:
        path = urllib.parse.urlsplit(request.path).path
        if path in ("/v2", "/v2/"):
            return Reply(200, [("Docker-Distribution-Api-Version", "registry/2.0")], b"{}")
        if match := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path):
            found = self.manifests.get(match.groups())
            if not found:
                return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return Reply(200, [("Content-Type", found.media_type), ("Docker-Content-Digest", found.digest)], found.data)
        if match := re.fullmatch(r"/v2/(.+)/blobs/([^/]+)", path):
            if match[2] not in self.blobs:
                return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return self.ranged(request, self.blobs[match[2]], match[2])
        if match := re.fullmatch(r"/v2/(.+)/tags/list", path):
            tags = sorted(tag for name, tag in self.manifests if name == match[1] and ":" not in tag)
            return json_reply({"name": match[1], "tags": tags})
        return error(404, "NAME_UNKNOWN")

    def ranged(self, request: Request, data: bytes, tag: str) -> Reply:
        headers = [("Content-Type", "application/octet-stream"), ("ETag", f'"{tag}"')]
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        same = request.headers.get("if-range", f'"{tag}"') == f'"{tag}"'
        if not self.ranges or not wanted or not same:
            return Reply(200, headers, data)
        first = int(wanted[1])
        if first >= len(data):
            return Reply(416, [("Content-Range", f"bytes */{len(data)}")])
        headers.append(("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}"))
        return Reply(206, headers, data[first:])


class Upstream:
    """Everything is asked of a real registry at an http URL."""

    def __init__(self, url: str):
        self.authority = urllib.parse.urlsplit(url).netloc

    def __call__(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection(self.authority)
        skipped = ("host", "connection", "authorization")
        headers = {k: v for k, v in request.headers.items() if k not in skipped}
        connection.request(request.method, request.path, request.body or None, headers)
        response = connection.getresponse()
        body = response.read()
        hop = ("connection", "transfer-encoding", "content-length", "date")
        reply = Reply(response.status, [(k, v) for k, v in response.getheaders() if k.lower() not in hop], body)
        connection.close()
        return reply


class TokenServer:
    """A token server (distribution's docs/spec/auth). `users` is {user: password}; None: everybody gets a token.

    `key` is the member that holds the token, `forms` the requests that are understood: "get" (Basic), "password" and
    "refresh_token" (POST). Tokens are good for `uses` requests, for ever if None.
    """

    def __init__(self, users: dict[str, str] | None = None, key: str = "token", forms: tuple[str, ...] = ("get",),
                 identity_tokens: tuple[str, ...] = (), expires_in: int | None = None, uses: int | None = None):
        self.users, self.key, self.forms = users, key, forms
        self.identity_tokens, self.expires_in, self.uses = identity_tokens, expires_in, uses
        self.issued: dict[str, list] = {}  # token -> [set of scopes, uses left]
        self.scopes: list[list[str]] = []  # as asked
        self.lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        parameters = request.form() if request.method == "POST" else request.query()
        form = parameters.get("grant_type", [""])[0] if request.method == "POST" else "get"
        if form not in self.forms:
            return Reply(405)
        if not self.knows(request, form, parameters):
            return error(401, "UNAUTHORIZED", "incorrect username or password")
        scopes = " ".join(parameters.get("scope", [])).split()
        with self.lock:
            token = f"token-{len(self.issued) + 1}"
            self.issued[token] = [set(scopes), self.uses]
            self.scopes.append(scopes)
        answer = {self.key: token}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        return json_reply(answer)

    def knows(self, request: Request, form: str, parameters: dict[str, list[str]]) -> bool:
        if form == "refresh_token":
            return parameters.get("refresh_token", [""])[0] in self.identity_tokens
        if self.users is None:
            return True
        if form == "password":
            user, password = (parameters.get(k, [""])[0] for k in ("username", "password"))
        else:
            user, password = basic_credentials(request.authorization)
        return user in self.users and self.users[user] == password

    def accepts(self, token: str, scope: str) -> bool:
        with self.lock:
            grant = self.issued.get(token)
            if not grant or (scope and scope not in grant[0]) or grant[1] == 0:
                return False
            if grant[1] is not None:
                grant[1] -= 1
            return True


def basic_credentials(authorization: str) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    if scheme != "Basic":
        return "", ""
    user, _, password = base64.b64decode(value).decode().partition(":")
    return user, password


class Rule:
    """Called with a request and the rest of the chain. `path` is searched as a regular expression in the request's path."""

    def __init__(self, path: str = "", times: int | None = None):
        self.path, self.left = re.compile(path), times
        self.lock = threading.Lock()

    def applies(self, request: Request) -> bool:
        """Counts down `times` where it fits."""
        if not self.path.search(request.path):
            return False
        with self.lock:
            if self.left == 0:
                return False
            if self.left is not None:
                self.left -= 1
            return True

    def answer(self, request: Request, following: Source) -> Reply:
        raise NotImplementedError

    def __call__(self, request: Request, following: Source) -> Reply:
        return self.answer(request, following) if self.applies(request) else following(request)


class Bearer(Rule):
    """Asks for a token of `tokens`, a TokenServer behind the Front `realm`, or a URL. `challenge`: other headers instead."""

    def __init__(self, tokens: TokenServer, realm: Front | str, service: str = "registry, of tests",
                 challenge: list[str] | None = None, path: str = "/v2/"):
        super().__init__(path)
        self.tokens, self.realm, self.service, self.challenge = tokens, realm, service, challenge

    def answer(self, request: Request, following: Source) -> Reply:
        name = re.match(r"/v2/(.+)/(?:manifests|blobs|tags)/", request.path)
        scope = f"repository:{name[1]}:pull" if name else ""
        scheme, _, token = request.authorization.partition(" ")
        if scheme == "Bearer" and self.tokens.accepts(token, scope):
            return following(request)
        realm = self.realm if isinstance(self.realm, str) else self.realm.url + "/token"
        wanted = f',scope="{scope}"' if scope else ""
        challenges = self.challenge or [f'Bearer realm="{realm}",service="{self.service}"{wanted}']
        reply = error(401, "UNAUTHORIZED", "authentication required")
        reply.headers += [("WWW-Authenticate", challenge) for challenge in challenges]
        return reply


class Basic(Rule):
    def __init__(self, users: dict[str, str], path: str = "/v2/"):
        super().__init__(path)
        self.users = users

    def answer(self, request: Request, following: Source) -> Reply:
        user, password = basic_credentials(request.authorization)
        if user in self.users and self.users[user] == password:
            return following(request)
        reply = error(401, "UNAUTHORIZED", "authentication required")
        reply.headers.append(("WWW-Authenticate", 'Basic realm="a realm, of tests"'))
        return reply


class Redirect(Rule):
    """To `target`: a Front (same path there), or a Location as it is."""

    def __init__(self, path: str, target: Front | str, status: int = 307, times: int | None = None):
        super().__init__(path, times)
        self.target, self.status = target, status

    def answer(self, request: Request, following: Source) -> Reply:
        location = self.target if isinstance(self.target, str) else self.target.url + request.path
        return Reply(self.status, [("Location", location)])


class Status(Rule):
    """Answers a status instead, a number of times: 429 and Retry-After, 500, 503, 403."""

    def __init__(self, path: str, status: int, times: int | None = None,
                 headers: tuple[tuple[str, str], ...] = (), body: bytes = b""):
        super().__init__(path, times)
        self.reply = Reply(status, list(headers), body)

    def answer(self, request: Request, following: Source) -> Reply:
        return self.reply


class Change(Rule):
    """Any change of the answer: change(reply) returns a reply."""

    def __init__(self, path: str, change: Callable[[Reply], Reply], times: int | None = None):
        super().__init__(path, times)
        self.change = change

    def answer(self, request: Request, following: Source) -> Reply:
        return self.change(following(request))


def cut(path: str, after: int, times: int | None = None) -> Change:
    """Breaks the connection after so many bytes of the body."""
    return Change(path, lambda reply: replace(reply, cut_after=after), times)


def stall(path: str, after: int, times: int | None = None) -> Change:
    """Sends nothing more after so many bytes of the body."""
    return Change(path, lambda reply: replace(reply, stall_after=after), times)


def corrupt(path: str, times: int | None = None) -> Change:
    """The same number of bytes, one of them wrong."""
    def change(reply: Reply) -> Reply:
        middle = len(reply.body) // 2
        wrong = bytes([reply.body[middle] ^ 1]) if reply.body else b""
        return replace(reply, body=reply.body[:middle] + wrong + reply.body[middle + 1:])
    return Change(path, change, times)


def append(path: str, extra: bytes, times: int | None = None, chunked: bool = False) -> Change:
    """More bytes than there are."""
    return Change(path, lambda reply: replace(reply, body=reply.body + extra, chunked=chunked), times)


def header(path: str, name: str, value: str | None, times: int | None = None) -> Change:
    """Sets a header of the answer; None removes it."""
    def change(reply: Reply) -> Reply:
        kept = [(known, text) for known, text in reply.headers if known.lower() != name.lower()]
        return replace(reply, headers=kept + ([] if value is None else [(name, value)]))
    return Change(path, change, times)


class Together(Rule):
    """Holds each answer until so many requests are there at once; `most` is the greatest number that ever were."""

    def __init__(self, path: str, number: int):
        super().__init__(path)
        self.barrier, self.active, self.most = threading.Barrier(number), 0, 0

    def answer(self, request: Request, following: Source) -> Reply:
        with self.lock:
            self.active += 1
            self.most = max(self.most, self.active)
        try:
            self.barrier.wait(WAIT_LIMIT)
        except threading.BrokenBarrierError:
            return error(418, "NOT_TOGETHER")
        with self.lock:
            self.active -= 1
        return following(request)


class Front:
    """A server that lives as long as its `with`. Rules may be changed while it runs."""

    def __init__(self, source: Source, rules: list | None = None, tls: Tls | None = None):
        self.source, self.rules, self.log = source, list(rules or []), []
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.front = self
        self.scheme = "https" if tls else "http"
        if tls:
            self.server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.server.tls.load_cert_chain(tls.certificate, tls.key)
        self.port = self.server.server_address[1]
        self.host = f"{'localhost' if tls else '127.0.0.1'}:{self.port}"
        self.url = f"{self.scheme}://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Front:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def handle(self, request: Request) -> Reply:
        with self.lock:
            self.log.append(request)
        chain = self.source
        for rule in reversed(self.rules):
            chain = lambda r, rule=rule, following=chain: rule(r, following)
        return chain(request)

    def asked(self, path: str = "") -> list[Request]:
        """The requests whose path contains the regular expression."""
        with self.lock:
            return [request for request in self.log if re.search(path, request.path)]

    def forget(self) -> None:
        with self.lock:
            self.log.clear()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    tls = None

    def finish_request(self, request, client_address) -> None:
        # The handshake is made here, in the connection's own thread.
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address) -> None:
        pass  # clients that go away are part of the tests


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): ", ".join(self.headers.get_all(name)) for name in self.headers.keys()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        self.reply(self.server.front.handle(request))

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_GET

    def reply(self, reply: Reply) -> None:
        body = b"" if self.command == "HEAD" else reply.body
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        early = reply.cut_after if reply.cut_after is not None else reply.stall_after
        if early is not None and len(body) > early:
            self.break_off(body[:early], reply)
        elif reply.chunked:
            for at in range(0, len(body), 8192):
                piece = body[at:at + 8192]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(body)

    def break_off(self, body: bytes, reply: Reply) -> None:
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True
        if reply.stall_after is not None:
            select.select([self.connection], [], [], WAIT_LIMIT)  # readable: the client has closed
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        pass
