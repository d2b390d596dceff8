"""A small registry for tests, and the ways in which registries misbehave.

A `Front` is an HTTP or HTTPS server on a free loopback port. What it answers comes from a source (`StaticRegistry` with
content in memory, `Upstream` before a real registry, `TokenServer`), through a list of rules that ask for credentials,
redirect, break connections, falsify bytes, and so on. Everything that was asked is kept in `log`.

    content = StaticRegistry()
    content.add_image("a/b", "t", [tar_layer({"etc/motd": b"hello"})])
    with Front(content, rules=[Cut("/blobs/", after=1000, times=1)]) as front:
        ...  front.url, front.host, front.asked("/blobs/")
"""

import base64
import gzip
import hashlib
import http.client
import http.server
import io
import json
import re
import socket
import ssl
import tarfile
import threading
import urllib.parse
from dataclasses import dataclass, field

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker.distribution.manifest."


@dataclass
class Request:
    method: str
    path: str  # with its query
    headers: dict  # names in lower case
    body: bytes = b""

    def query(self):
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query, keep_blank_values=True)

    def form(self):
        return urllib.parse.parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def authorization(self):
        return self.headers.get("authorization", "")


@dataclass
class Reply:
    status: int = 200
    headers: list = field(default_factory=list)
    body: bytes = b""
    cut_after: int = None  # bytes of the body before the connection is broken
    chunked: bool = False  # no Content-Length

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")


def error(status, code, message=""):
    body = json.dumps({"errors": [{"code": code, "message": message or code.lower()}]}).encode()
    return Reply(status, [("Content-Type", "application/json")], body)


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def tar_layer(files, compress=gzip.compress):
    """A layer of files {path: bytes or (bytes, mode)}; a path that ends in / is a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            data, mode = content if isinstance(content, tuple) else (content, 0o644)
            info = tarfile.TarInfo(path.rstrip("/"))
            info.mode = 0o755 if path.endswith("/") else mode
            info.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            info.size = 0 if path.endswith("/") else len(data)
            tar.addfile(info, io.BytesIO(data or b""))
    return compress(out.getvalue()) if compress else out.getvalue()


def diff_id(layer):
    return digest_of(gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer)


class StaticRegistry:
    """Manifests and blobs in memory, served by the pull part of the distribution protocol, ranges included."""

    def __init__(self):
        self.manifests = {}  # (name, tag or digest) -> (type, bytes)
        self.blobs = {}  # digest -> bytes
        self.ranges = True

    def add_blob(self, data, algorithm="sha256"):
        digest = digest_of(data, algorithm)
        self.blobs[digest] = data
        return digest

    def add_manifest(self, name, tag, media_type, document):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = digest_of(data)
        for reference in filter(None, (tag, digest)):
            self.manifests[name, reference] = (media_type, data)
        return digest

    def descriptor(self, media_type, data, algorithm="sha256"):
        return {"mediaType": media_type, "digest": self.add_blob(data, algorithm), "size": len(data)}

    def add_image(self, name, tag, layers, config=None, platform=("linux", "amd64"), docker=False, algorithm="sha256"):
        """Returns the digest of the manifest. `config` is the inner "config" object."""
        document = {
            "os": platform[0],
            "architecture": platform[1],
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [diff_id(layer) for layer in layers]},
        }
        if len(platform) > 2:
            document["variant"] = platform[2]
        config_type = "application/vnd.docker.container.image.v1+json" if docker else OCI + "config.v1+json"

        def layer_type(layer):
            packed = layer[:2] == b"\x1f\x8b"
            if docker:
                return "application/vnd.docker.image.rootfs.diff.tar" + (".gzip" if packed else "")
            return OCI + "layer.v1.tar" + ("+gzip" if packed else "")

        media_type = DOCKER + "v2+json" if docker else OCI + "manifest.v1+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": self.descriptor(config_type, json.dumps(document).encode(), algorithm),
            "layers": [self.descriptor(layer_type(layer), layer, algorithm) for layer in layers],
        }
        return self.add_manifest(name, tag, media_type, manifest)

    def add_index(self, name, tag, entries, docker=False):
        """`entries`: (digest of a manifest of this name, platform dictionary or None, annotations or None)."""
        media_type = DOCKER + "list.v2+json" if docker else OCI + "index.v1+json"
        manifests = []
        for digest, platform, annotations in entries:
            kind, data = self.manifests[name, digest]
            entry = {"mediaType": kind, "digest": digest, "size": len(data)}
            if platform:
                entry["platform"] = platform
            if annotations:
                entry["annotations"] = annotations
            manifests.append(entry)
        document = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
        return self.add_manifest(name, tag, media_type, document)

    def __call__(self, request):
        path = urllib.parse.urlsplit(request.path).path
        if path in ("/v2", "/v2/"):
            return Reply(200, [("Docker-Distribution-Api-Version", "registry/2.0")], b"{}")
        if match := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path):
            found = self.manifests.get(match.groups())
            if not found:
                return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return Reply(200, [("Content-Type", found[0]), ("Docker-Content-Digest", digest_of(found[1]))], found[1])
        if match := re.fullmatch(r"/v2/(.+)/blobs/([^/]+)", path):
            if match[2] not in self.blobs:
                return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return self.ranged(request, self.blobs[match[2]], match[2])
        if match := re.fullmatch(r"/v2/(.+)/tags/list", path):
            tags = sorted(tag for name, tag in self.manifests if name == match[1] and ":" not in tag)
            return Reply(200, [("Content-Type", "application/json")], json.dumps({"name": match[1], "tags": tags}).encode())
        return error(404, "NAME_UNKNOWN")

    def ranged(self, request, data, tag):
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

    def __init__(self, url):
        self.authority = urllib.parse.urlsplit(url).netloc

    def __call__(self, request):
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

    def __init__(self, users=None, key="token", forms=("get",), identity_tokens=(), expires_in=None, uses=None):
        self.users, self.key, self.forms = users, key, forms
        self.identity_tokens, self.expires_in, self.uses = identity_tokens, expires_in, uses
        self.issued = {}  # token -> (set of scopes, uses left)
        self.scopes = []  # as asked
        self.lock = threading.Lock()

    def __call__(self, request):
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
        return Reply(200, [("Content-Type", "application/json")], json.dumps(answer).encode())

    def knows(self, request, form, parameters):
        if form == "refresh_token":
            return parameters.get("refresh_token", [""])[0] in self.identity_tokens
        if self.users is None:
            return True
        if form == "password":
            user, password = (parameters.get(k, [""])[0] for k in ("username", "password"))
        else:
            user, password = basic_credentials(request.authorization)
        return user in self.users and self.users[user] == password

    def accepts(self, token, scope):
        with self.lock:
            grant = self.issued.get(token)
            if not grant or scope not in grant[0] or grant[1] == 0:
                return False
            if grant[1] is not None:
                grant[1] -= 1
            return True


def basic_credentials(authorization):
    scheme, _, value = authorization.partition(" ")
    if scheme != "Basic":
        return "", ""
    user, _, password = base64.b64decode(value).decode().partition(":")
    return user, password


class Rule:
    """Called with a request and the rest of the chain. `path` is searched as a regular expression in the request's path."""

    def __init__(self, path="", times=None):
        self.path, self.left = re.compile(path), times
        self.lock = threading.Lock()

    def applies(self, request):
        """Counts down `times` where it fits."""
        if not self.path.search(request.path):
            return False
        with self.lock:
            if self.left == 0:
                return False
            if self.left is not None:
                self.left -= 1
            return True

    def __call__(self, request, following):
        return self.answer(request, following) if self.applies(request) else following(request)


class Bearer(Rule):
    """Asks for a token of `tokens` (a TokenServer behind the Front `realm`, or a URL). `challenge` replaces the header."""

    def __init__(self, tokens, realm, service="registry, of tests", challenge=None, path="/v2/"):
        super().__init__(path)
        self.tokens, self.realm, self.service, self.challenge = tokens, realm, service, challenge

    def answer(self, request, following):
        name = re.match(r"/v2/(.+)/(?:manifests|blobs|tags)/", request.path)
        scope = f"repository:{name[1]}:pull" if name else ""
        scheme, _, token = request.authorization.partition(" ")
        if scheme == "Bearer" and self.tokens.accepts(token, scope):
            return following(request)
        realm = self.realm if isinstance(self.realm, str) else self.realm.url + "/token"
        header = self.challenge or f'Bearer realm="{realm}",service="{self.service}",scope="{scope}"'
        reply = error(401, "UNAUTHORIZED", "authentication required")
        for challenge in header if isinstance(header, list) else [header]:
            reply.headers.append(("WWW-Authenticate", challenge))
        return reply


class Basic(Rule):
    def __init__(self, users, path="/v2/"):
        super().__init__(path)
        self.users = users

    def answer(self, request, following):
        user, password = basic_credentials(request.authorization)
        if user in self.users and self.users[user] == password:
            return following(request)
        reply = error(401, "UNAUTHORIZED", "authentication required")
        reply.headers.append(("WWW-Authenticate", 'Basic realm="a realm, of tests"'))
        return reply


class Redirect(Rule):
    """To `target`: a Front (same path there), or a Location as it is."""

    def __init__(self, path, target, status=307, times=None):
        super().__init__(path, times)
        self.target, self.status = target, status

    def answer(self, request, following):
        location = self.target if isinstance(self.target, str) else self.target.url + request.path
        return Reply(self.status, [("Location", location)])


class Status(Rule):
    """Answers a status instead, a number of times: 429 and Retry-After, 500, 503, 403."""

    def __init__(self, path, status, times=None, headers=(), body=b""):
        super().__init__(path, times)
        self.reply = Reply(status, list(headers), body)

    def answer(self, request, following):
        return self.reply


class Change(Rule):
    """Any change of the answer: change(reply) returns a reply."""

    def __init__(self, path, change, times=None):
        super().__init__(path, times)
        self.change = change

    def answer(self, request, following):
        return self.change(following(request))


def Cut(path, after, times=None):
    """Breaks the connection after so many bytes of the body."""

    def change(reply):
        reply.cut_after = after
        return reply

    return Change(path, change, times)


def Corrupt(path, times=None):
    """The same number of bytes, one of them wrong."""

    def change(reply):
        middle = len(reply.body) // 2
        return Reply(reply.status, reply.headers, flip(reply.body, middle))

    return Change(path, change, times)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if data else data


def Append(path, extra, times=None, chunked=False):
    """More bytes than there are."""
    return Change(path, lambda r: Reply(r.status, r.headers, r.body + extra, chunked=chunked), times)


def Header(path, name, value, times=None):
    """Sets a header of the answer; None removes it."""

    def change(reply):
        kept = [(k, v) for k, v in reply.headers if k.lower() != name.lower()]
        return Reply(reply.status, kept + ([] if value is None else [(name, value)]), reply.body)

    return Change(path, change, times)


class Front:
    def __init__(self, source, rules=(), tls=None):
        """`tls`: (certificate file, key file)."""
        self.source, self.rules, self.log = source, list(rules), []
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.front = self
        self.scheme = "https" if tls else "http"
        if tls:
            self.server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.server.tls.load_cert_chain(*tls)
        self.port = self.server.server_address[1]
        self.host = f"{'localhost' if tls else '127.0.0.1'}:{self.port}"
        self.url = f"{self.scheme}://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def handle(self, request):
        with self.lock:
            self.log.append(request)
        chain = self.source
        for rule in reversed(self.rules):
            chain = lambda r, rule=rule, following=chain: rule(r, following)
        return chain(request)

    def asked(self, path=""):
        """The requests whose path contains the regular expression."""
        with self.lock:
            return [request for request in self.log if re.search(path, request.path)]

    def forget(self):
        with self.lock:
            self.log.clear()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    tls = None

    def finish_request(self, request, client_address):
        # The handshake is made here, in the connection's own thread.
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): ", ".join(self.headers.get_all(name)) for name in self.headers.keys()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        self.reply(self.server.front.handle(request))

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_GET

    def reply(self, reply):
        body = b"" if self.command == "HEAD" else reply.body
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.cut_after is not None and len(body) > reply.cut_after:
            self.wfile.write(body[: reply.cut_after])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif reply.chunked:
            for at in range(0, len(body), 8192):
                piece = body[at : at + 8192]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass
