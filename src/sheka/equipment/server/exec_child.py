"""Becomes the child it was started for (H1): gives up root, asks to die with its parent, then executes the command.

Run as a plain script by `supervisor.py` and `postgres.py`, before any of our packages is importable:
`python -I -S exec_child.py PARENT_PID DEATH_SIGNAL UID:GID|- COMMAND...`. The order matters: the kernel clears the
parent-death signal whenever credentials change (prctl(2), PR_SET_PDEATHSIG), so it is set after setuid. All this runs
in a fresh process of one thread, so nothing happens between fork and exec of the starter.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Never returns: executes the command, or leaves with 125 (parent gone) or 127 (cannot be executed)."""
    parent, death_signal, identity, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if identity != "-":
        uid, gid = (int(part) for part in identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(parent):  # it died before the line above could take effect
        sys.exit(125)
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
