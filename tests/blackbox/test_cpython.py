"""The modules of CPython's own tests that lean most on the kernel; ./tools/conformance cpython runs more of them."""
import pytest

import cpython_tests

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("module", ["test_os", "test_signal", "test_socket", "test_subprocess", "test_threading"])
def test_cpython(guests, module):
    cpython_tests.passes(cpython_tests.container_of(guests), module)
