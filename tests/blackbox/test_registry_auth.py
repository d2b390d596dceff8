"""Credentials: which are sent, to whom, how often, and what the user reads when they do not help."""
from __future__ import annotations

import base64
import json

import pytest

import oci
from oci import file
from proxy import Proxy
from registry import make_tls
from registry_front import Basic, Bearer, Front, Redirect, StaticRegistry, TokenServer, Upstream

SECRET = "pass:word&more"
USERS = {"someone": SECRET}


@pytest.fixture
def content():
    """An image of three layers under the name team/app:v1."""
    static = StaticRegistry()
    layers = [oci.tar_layer([file(name, name.encode() * 1000)]) for name in ("one", "two", "three")]
    static.add("team/app", "v1", oci.image(layers))
    return static


def log_in(udocker, url, user="someone", password=SECRET):
    udocker.ok("images")
    keystore = udocker.home / ".udocker/keystore"
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    keystore.write_text(json.dumps({url: {"auth": auth, "email": ""}}))
    keystore.chmod(0o600)


def is_pulled(udocker, front):
    listed = udocker.ok("-q", "images").out
    return f"{front.host}/team/app:v1" in listed


def test_one_anonymous_token_serves_all_requests(udocker, content):
    tokens = TokenServer()
    with Front(tokens) as realm, Front(content, [Bearer(tokens, realm)]) as front:
        udocker.ok("pull", f"{front.host}/team/app:v1")
        assert tokens.scopes == [["repository:team/app:pull"]]
        assert [request.authorization for request in realm.asked()] == [""]
        assert realm.asked()[0].query()["service"] == ["registry, of tests"]
        assert {request.authorization for request in front.asked("/blobs/")} == {"Bearer token-1"}
        # The manifest twice, for its 401, and each blob once; no probe of /v2/.
        assert len(front.asked()) == 2 + 4


def test_bearer_before_a_real_registry(udocker, registry):
    reference = oci.push(registry, "auth/real", "v1", oci.image([oci.tar_layer([file("a", b"x")])]))
    tokens = TokenServer(USERS)
    with Front(tokens) as realm, Front(Upstream(registry.url), [Bearer(tokens, realm)]) as front:
        log_in(udocker, f"https://{front.host}")
        udocker.ok("pull", f"{front.host}/{reference.partition('/')[2]}")


@pytest.mark.parametrize("key", ["token", "access_token"])
@pytest.mark.parametrize("form", ["get", "password"])
def test_bearer_with_a_password(udocker, content, key, form):
    tokens = TokenServer(USERS, key=key, forms=(form,), expires_in=300)
    with Front(tokens) as realm, Front(content, [Bearer(tokens, realm)]) as front:
        log_in(udocker, f"https://{front.host}")
        udocker.ok("pull", f"{front.host}/team/app:v1")
        assert all(request.authorization.startswith(("Bearer ", "")) for request in front.asked())
        assert not any(request.authorization.startswith("Basic") for request in front.asked())
        if form == "password":
            assert realm.asked()[-1].method == "POST"


def test_bearer_with_an_identity_token(udocker, content):
    tokens = TokenServer({}, key="access_token", forms=("refresh_token",), identity_tokens=(SECRET,))
    with Front(tokens) as realm, Front(content, [Bearer(tokens, realm)]) as front:
        log_in(udocker, f"https://{front.host}", user="<token>")
        udocker.ok("pull", f"{front.host}/team/app:v1")


def test_token_that_is_used_up_is_renewed(udocker, content):
    tokens = TokenServer(uses=2)
    with Front(tokens) as realm, Front(content, [Bearer(tokens, realm)]) as front:
        udocker.ok("pull", f"{front.host}/team/app:v1")
        assert len(tokens.issued) > 1


# Q12 of the Python tool: challenges are split at blanks; replies with `access_token` alone raise an exception.
@pytest.mark.parametrize("challenge", [
    ['Basic realm="a, b", Bearer realm="{realm}",service="s",scope="repository:team/app:pull"'],
    ['Negotiate', 'Bearer  Realm = "{realm}" , Service="x, \\"y\\"" , scope="repository:team/app:pull"'],
    ['Negotiate YII==, bearer realm="{realm}"'],
    ['Bearer realm="{realm}?extra=1",scope="repository:team/app:pull repository:other/one:pull"'],
], ids=["basic first", "two headers", "no scope", "two scopes"])
def test_challenges(udocker, content, challenge):
    tokens = TokenServer()
    with Front(tokens) as realm:
        filled = [one.replace("{realm}", realm.url + "/token") for one in challenge]
        with Front(content, [Bearer(tokens, realm, challenge=filled)]) as front:
            udocker.ok("pull", f"{front.host}/team/app:v1")


@pytest.mark.parametrize("rule", ["bearer", "basic"])
def test_wrong_password(udocker, content, rule):
    tokens = TokenServer(USERS)
    with Front(tokens) as realm:
        rules = [Bearer(tokens, realm) if rule == "bearer" else Basic(USERS)]
        with Front(content, rules) as front:
            log_in(udocker, f"https://{front.host}", password="not this one")
            outcome = udocker.fails("-q", "pull", f"{front.host}/team/app:v1")
            assert "udocker login" in outcome.err and "refused" in outcome.err
            assert not is_pulled(udocker, front)
            assert len(front.asked()) + len(realm.asked()) <= 3
            debug = udocker.run("-D", "pull", f"{front.host}/team/app:v1")
            assert "not this one" not in debug.out + debug.err


@pytest.mark.parametrize("rule", ["bearer", "basic"])
def test_no_password(udocker, content, rule):
    tokens = TokenServer(USERS)
    with Front(tokens) as realm:
        with Front(content, [Bearer(tokens, realm) if rule == "bearer" else Basic(USERS)]) as front:
            outcome = udocker.fails("-q", "pull", f"{front.host}/team/app:v1")
            assert "a login is needed" in outcome.err and "udocker login" in outcome.err
            assert f"{front.host}/team/app:v1" in outcome.err


@pytest.mark.parametrize("rule", ["bearer", "basic"])
def test_credentials_stay_with_their_server(udocker, content, rule):
    tokens = TokenServer(USERS)
    with Front(tokens) as realm, Front(content) as elsewhere:
        ask = Bearer(tokens, realm) if rule == "bearer" else Basic(USERS)
        with Front(content, [ask, Redirect("/blobs/", elsewhere)]) as front:
            log_in(udocker, f"https://{front.host}")
            udocker.ok("pull", f"{front.host}/team/app:v1")
            assert len(elsewhere.asked("/blobs/")) == 4
            assert {request.authorization for request in elsewhere.asked()} == {""}


def test_token_server_without_tls_elsewhere_gets_nothing(udocker, content):
    tokens = TokenServer(USERS)
    with Front(tokens) as realm, Proxy({"tokens.invalid": ("127.0.0.1", realm.port)}) as proxy:
        with Front(content, [Bearer(tokens, "http://tokens.invalid/token")]) as front:
            log_in(udocker, f"https://{front.host}")
            through = f"--httpproxy=socks5h://{proxy.host}"
            outcome = udocker.fails("-q", "pull", through, f"{front.host}/team/app:v1")
            assert "tokens.invalid" in outcome.err and "TLS" in outcome.err
            assert realm.asked() == []
            udocker.ok("--insecure", "pull", through, f"{front.host}/team/app:v1")


def test_basic_over_tls(udocker, content, tmp_path):
    tls = make_tls(tmp_path / "tls")
    with Front(content, [Basic(USERS)], tls) as front:
        log_in(udocker, f"https://{front.host}")
        udocker.ok("pull", f"{front.host}/team/app:v1", env={"CURL_CA_BUNDLE": str(tls.authority)})


def test_useless_tokens_end(udocker, content):
    refuses = TokenServer()
    refuses.accepts = lambda token, scope: False
    with Front(refuses) as realm, Front(content, [Bearer(refuses, realm)]) as front:
        outcome = udocker.fails("-q", "pull", f"{front.host}/team/app:v1")
        assert "team/app:v1" in outcome.err
        assert len(front.asked()) <= 3 and len(realm.asked()) <= 3
