#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and its like in the middle of transfers, and servers that break off: no partial files, no half objects, and the right end for a shell."""
import os
import random
import signal
import socket
import subprocess
import threading
import time

from transcript import BIN, Folder
from lab import Lab, main, wait_until

LAB = Lab()


class Relay:
    """A TCP relay to the instance that passes on a few bytes at a time, and can break off."""

    def __init__(self, rate=20_000_000, cut_after=None, cuts=1):
        self.rate, self.cut_after, self.cuts = rate, cut_after, cuts
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", LAB.port))
            for source, sink, counted in ((client, server, False), (server, client, True)):
                threading.Thread(target=self.pump, args=(source, sink, counted), daemon=True).start()

    def pump(self, source, sink, counted):
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if self.cut_after and counted and passed > self.cut_after and self.cuts > 0:
                    self.cuts -= 1
                    break
                sink.sendall(data)
                time.sleep(len(data) / self.rate)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        # Closed under a thread that waits in it, its number may go to the next relay's, whose connections that thread would then take.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()


def through(relay, folder):
    """A client's home that knows the instance by the relay's address."""
    home = folder.path / f"home{relay.port}"
    if not home.exists():
        subprocess.run(["cp", "-r", str(LAB.client_home), str(home)], check=True)
        folder.good("--home", home, "trust", LAB.certificate, "--as", "lab", "--url", f"https://127.0.0.1:{relay.port}")
    return home


def start(folder, home, *arguments):
    return subprocess.Popen([BIN / "waybill", "--home", home, *arguments], cwd=folder.path, env=folder.environment(), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def interrupted_get_leaves_nothing():
    with Folder() as folder:
        (folder.path / "in").write_bytes(random.Random(1).randbytes(30_000_000))
        folder.good("--home", LAB.client_home, "put", "in", "lab:/slow")
        relay = Relay(rate=5_000_000)
        home = through(relay, folder)
        (folder.path / "out").mkdir()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = start(folder, home, "get", "lab:/slow", "out/x")
            wait_until(lambda: any(path.stat().st_size > 0 for path in (folder.path / "out").iterdir()), "a temporary file")
            process.send_signal(number)
            process.communicate(timeout=30)
            assert process.returncode == -number, process.returncode
            assert folder.files("out") == [], folder.files("out")
        relay.close()


def interrupt_that_comes_twice_leaves_nothing():
    """As timeout(1) and batch systems send it: to the process and to its group."""
    with Folder() as folder:
        (folder.path / "in").write_bytes(random.Random(4).randbytes(30_000_000))
        folder.good("--home", LAB.client_home, "put", "in", "lab:/twice")
        relay = Relay(rate=5_000_000)
        home = through(relay, folder)
        (folder.path / "out").mkdir()
        for _ in range(5):
            process = start(folder, home, "get", "lab:/twice", "out/x")
            wait_until(lambda: any(path.stat().st_size > 0 for path in (folder.path / "out").iterdir()), "a temporary file")
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
            assert process.returncode == -signal.SIGINT, process.returncode
            assert folder.files("out") == [], folder.files("out")
        relay.close()


def interrupted_put_leaves_nothing():
    with Folder() as folder:
        (folder.path / "in").write_bytes(random.Random(2).randbytes(30_000_000))
        relay = Relay(rate=5_000_000)
        home = through(relay, folder)
        process = start(folder, home, "put", "in", "lab:/interrupted")
        wait_until(lambda: relay.connections > 0, "the connection")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == -signal.SIGINT, process.returncode
        assert folder.good("--home", LAB.client_home, "ls", "lab:/interrupted").out == ""
        # while it waits for a pipe
        process = start(folder, LAB.client_home, "put", "-", "lab:/interrupted")
        process.stdin.write(b"some")
        process.stdin.flush()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == -signal.SIGTERM
        process.stdin.close()
        assert folder.good("--home", LAB.client_home, "ls", "lab:/interrupted").out == ""
        relay.close()


def a_pipe_may_take_its_time_to_begin():
    with Folder() as folder:
        relay = Relay()
        process = start(folder, through(relay, folder), "put", "-", "lab:/late")
        time.sleep(0.5)
        assert relay.connections == 0 and process.poll() is None
        said = process.communicate(b"late", timeout=30)
        assert process.returncode == 0, said
        assert folder.good("--home", LAB.client_home, "get", "lab:/late", "-").raw == b"late"
        relay.close()


def interrupted_while_it_waits_to_try_again():
    with Folder() as folder:
        closed = socket.create_server(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        closed.close()
        home = folder.path / "home"
        subprocess.run(["cp", "-r", str(LAB.client_home), str(home)], check=True)
        folder.good("--home", home, "trust", LAB.certificate, "--as", "lab", "--url", f"https://127.0.0.1:{port}")
        process = start(folder, home, "ls", "lab:/")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
        assert process.returncode == -signal.SIGINT, process.returncode


def lost_receipt_is_recovered():
    """The reply to a put is cut off: the same message goes again, is stored once, and nobody notices."""
    with Folder() as folder:
        (folder.path / "in").write_bytes(random.Random(3).randbytes(2_000_000))
        relay = Relay(cut_after=2_000)  # past the handshake, within the reply
        home = through(relay, folder)
        folder.good("--home", home, "put", "in", "lab:/once")
        assert relay.connections == 2 and relay.cuts == 0, (relay.connections, relay.cuts)
        assert folder.good("--home", LAB.client_home, "get", "lab:/once", "-").raw == (folder.path / "in").read_bytes()
        relay.close()


def cut_get_goes_on():
    with Folder() as folder:
        made = {}
        for number in range(40):
            made[f"{number:02}"] = random.Random(number).randbytes(100_000)
            (folder.path / "t").mkdir(exist_ok=True)
            (folder.path / "t" / f"{number:02}").write_bytes(made[f"{number:02}"])
        folder.good("--home", LAB.client_home, "put", "t", "lab:/cut/")
        relay = Relay(cut_after=1_500_000, cuts=2)
        folder.good("--home", through(relay, folder), "get", "lab:/cut/t/", "back")
        assert relay.cuts == 0
        assert {name: (folder.path / "back" / name).read_bytes() for name in folder.files("back")} == made
        relay.close()


def cut_again_and_again_is_a_failure():
    with Folder() as folder:
        (folder.path / "in").write_bytes(os.urandom(3_000_000))
        folder.good("--home", LAB.client_home, "put", "in", "lab:/never")
        relay = Relay(cut_after=1_000_000, cuts=1000)
        home = through(relay, folder)
        (folder.path / "out").mkdir()
        done = folder.bad(1, "--home", home, "get", "lab:/never", "out/x")
        assert "DeliveryFailed" in done.err and folder.files("out") == [], done
        done = folder.run("--home", home, "get", "lab:/never", "-")
        assert done.code == 1 and "DeliveryFailed" in done.err, done
        relay.close()


if __name__ == "__main__":
    with LAB:
        LAB.start()
        main(interrupted_get_leaves_nothing, interrupt_that_comes_twice_leaves_nothing, interrupted_put_leaves_nothing, interrupted_while_it_waits_to_try_again, a_pipe_may_take_its_time_to_begin, lost_receipt_is_recovered, cut_get_goes_on,
             cut_again_and_again_is_a_failure)
