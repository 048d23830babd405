"""Runs one private server for as long as any program uses it: a script of its own, started by `embedded_server`.

Every program holds a shared lock while it uses the server; the system lets go of it when a program ends, however it ends. The keeper
waits for the exclusive lock and then stops the server. Should the keeper itself be killed, the system tells the server (Linux).
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

TAKEN = 3
PATIENCE_S = 20
PR_SET_PDEATHSIG = 1


def main(users_path: str, keeper_path: str, stop: int, command: list[str]) -> None:
    keeper = os.open(keeper_path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(keeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(TAKEN)
    if os.fork():
        os._exit(0)  # the lock lives on in the child, which is nobody's child from now on
    os.setsid()
    libc, me = ctypes.CDLL(None), os.getpid()

    def end_with_the_keeper() -> None:
        if sys.platform == "linux":
            libc.prctl(PR_SET_PDEATHSIG, stop)
            if os.getppid() != me:
                os._exit(1)

    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=end_with_the_keeper)  # noqa: PLW1509  # no thread exists yet
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(stop))
    threading.Thread(target=stop_when_unused, args=(users_path, server, stop), daemon=True).start()
    sys.exit(server.wait())


def stop_when_unused(users_path: str, server: "subprocess.Popen[bytes]", stop: int) -> None:
    """The lock is kept to the end: who comes now waits until the server is gone, and starts another."""
    fcntl.flock(os.open(users_path, os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX)
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(stop)
        time.sleep(PATIENCE_S)
        server.kill()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
