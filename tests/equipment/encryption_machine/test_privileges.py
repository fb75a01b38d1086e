"""Giving root up (H5, K6): for good, and the process still ends with its parent."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, os, sys
from sheka.equipment.encryption_machine.privileges import become
libc, told = ctypes.CDLL(None), ctypes.c_int()
libc.prctl(1, 15, 0, 0, 0)
become(sys.argv[1])
libc.prctl(2, ctypes.byref(told), 0, 0, 0)
try:
    os.setuid(0)
    back = True
except PermissionError:
    back = False
print(os.getresuid(), os.getresgid(), os.getgroups(), told.value, back)
"""


@pytest.mark.req("H5")
@pytest.mark.req("K6")
def test_root_is_given_up_for_good_and_the_parent_still_watched() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "65534:65534"], capture_output=True, text=True, check=False, timeout=60
    )
    if os.geteuid() == 0:
        numbers = "(65534, 65534, 65534)"
        assert (done.returncode, done.stdout) == (0, f"{numbers} {numbers} [] 15 False\n")
    else:
        assert done.returncode == 1 and "PermissionError" in done.stderr
