"""Drives a program on a terminal of its own: drive.py COLUMNS ROWS STEPS PROGRAM ARGUMENT…

STEPS is a JSON list: a string is typed; {"until": TEXT} waits until TEXT was written; {"size": [COLUMNS, ROWS]} resizes.
Prints, as JSON, the exit code, everything that was written, and whether the terminal was left as it was found; or null
where no terminal is to be had.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

PATIENCE = 60.0


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


columns, rows, steps = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
try:
    leader, follower = pty.openpty()
except OSError:
    print("null")
    sys.exit()
resize(leader, columns, rows)
before = termios.tcgetattr(follower)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(follower, termios.TIOCSCTTY, 0)
    for end in (0, 1, 2):
        os.dup2(follower, end)
    os.execv(sys.argv[4], sys.argv[4:])

written = b""
deadline = time.monotonic() + PATIENCE


def read(seconds):
    global written
    if select.select([leader], [], [], seconds)[0]:
        written += os.read(leader, 65536)


code = None
seen = 0
for step in steps:
    if isinstance(step, str):
        os.write(leader, step.encode())
        # Nobody types faster than a busy machine draws.
        pause = time.monotonic() + 0.2
        while time.monotonic() < pause:
            read(0.05)
    elif "size" in step:
        resize(leader, *step["size"])
    else:
        while (found := written.find(step["until"].encode(), seen)) < 0 and time.monotonic() < deadline:
            read(0.05)
        seen = max(seen, found)
while time.monotonic() < deadline:
    read(0.05)
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        code = os.waitstatus_to_exitcode(status)
        break
read(0.05)
after = termios.tcgetattr(follower)
print(json.dumps({"code": code, "written": written.decode(errors="replace"), "restored": before[:4] == after[:4]}))
