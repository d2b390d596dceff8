"""One minute of `tools/conformance soak`, another one in each run."""
import random

from soak import Soak


def test_soak(executable, tmp_path):
    seed = random.SystemRandom().randrange(1 << 32)
    soak = Soak(executable, tmp_path, seed)
    try:
        soak.run(60)
        assert soak.check() == [], f"seed {seed}: {soak.summary()}"
    finally:
        soak.stop()
