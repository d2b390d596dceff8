"""CPython's tests of everything that leans on the kernel, as emulated root and as a plain user."""
import pytest

import cpython_tests as suite

MODULES = """
asyncgen asyncio atexit bdb bz2 cmd_line cmd_line_script code compileall concurrent_futures ctypes dbm_dumb eintr epoll faulthandler
fcntl file filecmp fileinput fileio fork1 ftplib genericpath getpass glob grp gzip httpservers imaplib import io largefile
linecache logging lzma mailbox mimetypes mmap multiprocessing_fork multiprocessing_forkserver multiprocessing_spawn
netrc openpty os pathlib pdb pipes pkgutil platform poll popen poplib posix posixpath pty pwd queue readline repl resource
runpy select selectors shelve shutil signal site smtplib socket spwd ssl stat subprocess support sys syslog tarfile
telnetlib tempfile thread threadedtempfile threading threading_local threadsignals time timeout tracemalloc unicode_file
unicode_file_functions urllib2_localnet utf8_mode uuid wait3 wait4 wsgiref xmlrpc zipfile zipimport zlib
""".split()


@pytest.mark.parametrize("user", ["root", suite.USER])
@pytest.mark.parametrize("module", MODULES)
def test_module(guests, module, user):
    suite.passes(suite.container_of(guests), f"test_{module}", user)
