"""A proxy on a free loopback port that speaks SOCKS4, SOCKS4a, SOCKS5 and HTTP CONNECT, and knows the names it is given."""
from __future__ import annotations

import select
import socket
import socketserver
import struct
import threading


class Proxy:
    """`names`: {host name: (address, port)} of servers that only the proxy knows; other targets are taken as they are."""

    def __init__(self, names: dict[str, tuple[str, int]] | None = None):
        self.names, self.targets = names or {}, []
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.proxy = self
        self.host = "127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Proxy:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def connect(self, protocol: str, host: str, port: int) -> socket.socket:
        self.targets.append((protocol, host, port))
        return socket.create_connection(self.names.get(host, (host, port)))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request, client_address) -> None:
        pass  # clients that go away are part of the tests


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        first = self.read(1)
        begin = {b"\x05": self.socks5, b"\x04": self.socks4}.get(first)
        upstream = begin() if begin else self.http(first)
        relay(self.request, upstream)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.request.recv(size - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def read_until(self, end: bytes) -> bytes:
        data = b""
        while not data.endswith(end):
            data += self.read(1)
        return data.removesuffix(end)

    def socks5(self) -> socket.socket:
        self.read(self.read(1)[0])  # the methods on offer
        self.request.sendall(b"\x05\x00")
        kind = self.read(4)[3]
        if kind == 3:
            host = self.read(self.read(1)[0]).decode()
        else:
            host = socket.inet_ntop(*{1: (socket.AF_INET, self.read(4))}.get(kind) or (socket.AF_INET6, self.read(16)))
        port, = struct.unpack(">H", self.read(2))
        upstream = self.server.proxy.connect("socks5", host, port)
        self.request.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return upstream

    def socks4(self) -> socket.socket:
        _, port, address = struct.unpack(">BH4s", self.read(7))
        self.read_until(b"\0")  # the user
        by_name = address[:3] == b"\0\0\0" and address[3] != 0
        host = self.read_until(b"\0").decode() if by_name else socket.inet_ntoa(address)
        upstream = self.server.proxy.connect("socks4a" if by_name else "socks4", host, port)
        self.request.sendall(b"\x00\x5a" + bytes(6))
        return upstream

    def http(self, first: bytes) -> socket.socket:
        line, *_ = (first + self.read_until(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = line.split()
        if method != "CONNECT":
            self.request.sendall(b"HTTP/1.1 501 CONNECT only\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            raise ConnectionError
        host, _, port = target.rpartition(":")
        upstream = self.server.proxy.connect("connect", host, int(port))
        self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        return upstream


def relay(one: socket.socket, other: socket.socket) -> None:
    with other:
        while True:
            for source in select.select([one, other], [], [])[0]:
                data = source.recv(1 << 16)
                if not data:
                    return
                (other if source is one else one).sendall(data)
