"""How many files the server may open."""

import subprocess
import sys

PROGRAM = """
import resource
from studio.front.server import raise_limit_of_files
_soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
print(raise_limit_of_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0], hard)
"""


def test_the_limit_of_open_files_is_raised():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    told, soft, hard = map(int, done.stdout.split())
    assert told == soft
    assert soft == min(hard, 65_536) if hard > 0 else soft > 256
