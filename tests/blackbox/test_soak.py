"""A sample of `tools/conformance soak`."""
import pytest

from soak import Soak


@pytest.mark.slow
def test_soak(executable, tmp_path):
    soak = Soak(executable, tmp_path, seed=1)
    try:
        soak.run(12)
        assert soak.check() == [], soak.summary()
        assert min(soak.counts[word] for word in ("done", "refused", "killed")) > 0, soak.summary()
    finally:
        soak.stop()
