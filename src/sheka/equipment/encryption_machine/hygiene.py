"""What keeps keys from leaking out of the machine's process by the side door (K6), and what it cannot do.

Done: no core dump, no attaching debugger and no reading of /proc/PID/mem by other processes of the same user
(non-dumpable), files made for the owner only, the store's root keys kept off the swap, plain keys overwritten after
each use. Not possible in Python: copies that the interpreter, numpy or a cipher library makes inside a call (a slice, a
concatenation, an expanded key) are freed but not always overwritten; root can read any process. A certified device is
the answer to both (K4).
"""

from __future__ import annotations

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4
_BYTES_HEAD = bytes.__basicsize__ - 1


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def harden_process() -> None:
    """No core files, no debugger, owner-only files. Where the kernel lacks prctl the rest still holds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    prctl = getattr(_libc(), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def wipe(*secrets: bytes) -> None:
    """Overwrite the content of byte strings that nobody else holds: keys just opened or derived.

    `bytes` never change by Python's own rules, so this is for values that are dropped right after. Strings of fewer
    than two bytes are shared by the interpreter and left alone.
    """
    for secret in secrets:
        if len(secret) > 1:
            ctypes.memset(id(secret) + _BYTES_HEAD, 0, len(secret))


def keep_off_swap(secret: bytes) -> bool:
    """Ask the kernel never to write the pages of `secret` to the swap;
    False when the limit on locked memory forbids it.
    """
    return bool(_libc().mlock(ctypes.c_void_p(id(secret) + _BYTES_HEAD), ctypes.c_size_t(len(secret))) == 0)
