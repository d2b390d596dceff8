"""The executable stands alone: static, and without a part of the host's C library at run time."""
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent

# What a static executable must not open: modules for names, their configuration, converters, locales.
FOREIGN = re.compile(r"libnss_|nsswitch\.conf|gconv|/locale/|/locale-archive|/etc/services|/etc/protocols|\.so(\.\d+)*$")

# Everything in the symbol table that has to do with NSS, converters, locales or loading of modules.
SUSPECT = re.compile(
    r"_*(?:nss_|.*_nss_|get(?:pw|gr(?:nam|gid|ent|ouplist)|host(?:by|ent)|serv|proto|net(?:by|ent|grent)|addrinfo|nameinfo|"
    r"rpc|spw|spn|spent|sg|alias|ether)|init_?groups|dl(?:m?open|v?sym|close|error|addr1?|info)$|dl_open|libc_dl|"
    r"iconv|gconv|setlocale|newlocale|wordexp|getlogin)")


def symbol_reasons():
    """The pattern of each line of linked_symbols.txt, which must give a reason."""
    entries = []
    for line in (HERE / "linked_symbols.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, reason = (part.strip() for part in line.split(" | ", 1))
            assert reason, f"no reason is given for {pattern}"
            entries.append(re.compile(pattern))
    return entries


def test_every_linked_name_service_symbol_has_a_reason(executable):
    symbols = executable.with_name(executable.name + ".debug")
    listing = subprocess.run(["nm", str(symbols)], stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {line.split()[-1] for line in listing.splitlines() if line.split()[-2] in "TtWwi"}
    assert "main" in names, "the symbol table is not that of the executable"
    linked = {name for name in names if SUSPECT.match(name)}
    reasons = symbol_reasons()
    unknown = sorted(name for name in linked if not any(reason.fullmatch(name) for reason in reasons))
    assert unknown == [], "new users of NSS or of module loading; see tests/blackbox/linked_symbols.txt"
    stale = sorted(reason.pattern for reason in reasons if not any(reason.fullmatch(name) for name in linked))
    assert stale == [], "lines of linked_symbols.txt that match nothing any more"


def test_no_interpreter_and_no_library(executable):
    headers = subprocess.run(["readelf", "-lW", "-d", str(executable)], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "INTERP" not in headers and "NEEDED" not in headers


def test_stack_is_not_executable(executable):
    headers = subprocess.run(["readelf", "-lW", str(executable)], stdout=subprocess.PIPE, text=True, check=True).stdout
    stack = next(line for line in headers.splitlines() if "GNU_STACK" in line)
    assert "RWE" not in stack


def trace(udocker, tmp_path, *words, follow=True, env=None, status=0):
    """The paths that a command opens, its children included."""
    log = tmp_path / "trace"
    prefix = ["strace", *(["-f"] if follow else []), "-o", str(log), "-e", "trace=open,openat,openat2"]
    outcome = udocker.run(*words, prefix=prefix, env=env)
    assert outcome.status == status, outcome
    opened = re.findall(r'open(?:at2?)?\([^"]*"([^"]*)"', log.read_text())
    assert log.read_text().strip()
    return opened


def foreign(opened):
    return sorted({path for path in opened if FOREIGN.search(path)})


def commands_of(udocker):
    """The names of all commands, as `help` lists them."""
    listed = udocker.ok("help").out.split("\nCommands:\n", 1)[1].split("\n\n", 1)[0]
    names = {line.split()[0] for line in listed.splitlines()}
    assert {"pull", "run", "help"} <= names
    return names


def test_no_command_opens_parts_of_the_hosts_c_library(udocker, tmp_path, registry, tls_registry, pushed, executable):
    reference = pushed("busybox")
    environment = {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"}
    # A name, so that it is resolved and not only parsed.
    by_name = f"localhost:{registry.port}/" + reference.split("/", 1)[1]
    archive = str(tmp_path / "archive.tar")
    commands = [
        (["version"], 0), (["help"], 0), (["images"], 0), (["pull", reference], 0), (["pull", by_name], 0),
        (["pull", f"{tls_registry.host}/no/image:v1"], 1), (["pull", "no-such-host.invalid/a/b:v1"], 1),
        (["create", "--name=c", reference], 0), (["ps", "-m", "-s", "-p"], 0), (["images", "-l", "-p"], 0),
        (["inspect", "c"], 0), (["inspect", "-p", "c"], 0), (["inspect", reference], 0), (["setup", "c"], 0),
        (["setup", "--execmode=P2", "c"], 0), (["name", "c", "d"], 0), (["rename", "d", "e"], 0), (["rmname", "e"], 0),
        (["tag", by_name, "other:tag"], 0), (["verify", by_name], 0), (["save", "-o", archive, by_name], 0),
        (["load", "-i", archive, "loaded"], 0), (["import", archive, "imported:tag"], 0), (["export", "-o", archive, "c"], 0),
        (["clone", "--name=copy", "c"], 0), (["install"], 0), (["protect", "c"], 0), (["unprotect", "c"], 0), (["rm", "c"], 0), (["rmi", by_name], 0),
        (["mkrepo", str(tmp_path / "repo")], 0), (["showconf"], 0),
        (["search", "--list-tags", by_name.rsplit(":", 1)[0]], 0), (["manifest", "inspect", by_name], 0), (["login", "-u", "a", "-p", "b", f"localhost:{registry.port}"], 0),
        (["logout", f"localhost:{registry.port}"], 0),
    ]
    # `run` has a test of its own below.
    assert {words[0] for words, _ in commands} | {"run"} == commands_of(udocker), "a command is not traced"
    seen = {}
    for words, status in commands:
        seen[" ".join(words)] = foreign(trace(udocker, tmp_path, *words, env=environment, status=status))
    assert {command: paths for command, paths in seen.items() if paths} == {}


def test_run_opens_no_parts_of_the_hosts_c_library(udocker, tmp_path, pushed):
    reference = pushed("busybox")
    udocker.ok("pull", reference)
    udocker.ok("create", "--name=c", reference)
    # The engine traces the guest itself, so that only the product's own process can be watched.
    for user in ([], ["--user=guest"], ["--hostauth", "--user=" + str(os.getuid())]):
        opened = trace(udocker, tmp_path, "run", *user, "c", "/bin/true", follow=False)
        assert foreign(opened) == []


@pytest.mark.parametrize("variable", ["OPENSSL_CONF"])
def test_hosts_tls_configuration_is_ignored(udocker, tls_registry, tmp_path, variable):
    broken = tmp_path / "openssl.cnf"
    broken.write_text("openssl_conf = a\n[a]\nproviders = b\n[b]\nnone = c\n[c]\nmodule = /no/such/module.so\nactivate = 1\n")
    outcome = udocker.fails("--insecure", "pull", f"{tls_registry.host}/no/image:v1", env={variable: str(broken)})
    assert "no/image" in outcome.err
