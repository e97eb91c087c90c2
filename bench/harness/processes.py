# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are started, watched and stopped by their process id; free ports; medians."""
import contextlib
import os
import pathlib
import socket
import ssl
import statistics
import subprocess
import threading
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, log, seconds=15):
    """Returns when somebody listens; a program that ended instead is an error with its log."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args[0]} does not listen on port {port}: " + pathlib.Path(log).read_text(errors="replace")[-2000:]) from None
            time.sleep(0.05)


def stop(process):
    """Asks, waits, then insists."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def of_session(leader):
    """The process ids of the session that this one leads, or led."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(int(entry.name)) == leader:
                    found.append(int(entry.name))
    return found


def peak_kib(pid):
    """VmHWM of a process in KiB: the most memory it ever had. 0 when it is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


class Ran:
    def __init__(self, seconds, peak, output):
        self.seconds = seconds
        self.peak = peak  # KiB, as last seen before it ended
        self.output = output


def timed(command, env=None, stdout=subprocess.PIPE, cwd=None):
    """Runs a program to its end; it must succeed. Its wall-clock time, its peak memory, its output."""
    began = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=stdout, stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, cwd=cwd)
    peak = [0]

    def watch():
        while process.poll() is None:
            peak[0] = max(peak[0], peak_kib(process.pid))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, errors = process.communicate()
    seconds = time.monotonic() - began
    watcher.join()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[:600]} ended with {process.returncode}: {errors.decode(errors='replace')[-2000:]}")
    return Ran(seconds, peak[0], output)


def curl_config(path, requests):
    """Of one curl that makes many requests over one kept connection."""
    with open(path, "w") as config:
        for n, options in enumerate(requests):
            if n:
                config.write("next\n")
            config.write("silent\nshow-error\nfail\n" + ("" if "output = " in options else "output = /dev/null\n") + options)


def median(values):
    return statistics.median(values)


def client_context():
    """TLS for latency measurements over one kept connection; what is measured is not the certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
