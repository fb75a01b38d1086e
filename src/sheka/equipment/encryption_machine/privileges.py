"""How a machine started by root gives root up before it opens anything (H5, K6).

The programs are loaded by then, because the user may be unable to go where Python stands; what Python would load later
by itself is loaded here.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import sys

from sheka.foundation.refusals import sentences

_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG = 1, 2


def become(user: str) -> None:
    """Take on the numbers "UID:GID" for good, without further groups; the process still ends with its parent.

    The kernel clears the signal that tells of the parent's death whenever credentials change (prctl(2)), so it is set
    again; a parent that died in between ends the process here. Raises PermissionError when the starter is not root.
    """
    codecs.lookup("utf-16-be")  # the order of canonical JSON
    sentences()
    uid, gid = (int(part) for part in user.split(":"))
    libc, parent, told = ctypes.CDLL(None, use_errno=True), os.getppid(), ctypes.c_int()
    libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(told), 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    libc.prctl(_PR_SET_PDEATHSIG, told.value, 0, 0, 0)
    if told.value and os.getppid() != parent:
        sys.exit(125)
