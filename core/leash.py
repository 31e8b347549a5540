"""Runs a program that must not outlive the process which started it: `python -m core.leash FD PROGRAM ...`.

FD is the reading end of a pipe whose writing end only that process has. However it dies, the kernel closes the
pipe, and the program is told to stop (SIGTERM), then killed with its whole process group. The leash is to be
the leader of that group.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

GRACE = 10  # seconds from SIGTERM to SIGKILL


def main(fd: int, command: list[str]) -> int:
    told_to_stop = False
    program: subprocess.Popen[bytes] | None = None

    def stop(_signal: int = 0, _frame: FrameType | None = None) -> None:
        nonlocal told_to_stop
        told_to_stop = True
        if program:
            program.terminate()

    def stop_at_end_of_file() -> None:
        os.read(fd, 1)
        stop()
        time.sleep(GRACE)
        os.killpg(0, signal.SIGKILL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    program = subprocess.Popen(command)  # noqa: S603  # what the supervisor was given
    if told_to_stop:
        program.terminate()
    threading.Thread(target=stop_at_end_of_file, daemon=True).start()
    code = program.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
