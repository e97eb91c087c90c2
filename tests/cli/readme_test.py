#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md does what it says: its tour, typed into a terminal line by line, and its snippets for other languages. Only the ports are others."""
import contextlib
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN, run  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


PORTS = dict(zip(("8443", "8444"), free_ports(2)))
PROMPT = "waybill-readme-prompt"


def blocks(language=""):
    """The code blocks of that language, without the indentation that they have in lists."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", README, re.M | re.S)
    texts = [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]
    for there, here in PORTS.items():
        texts = [text.replace(f":{there}", f":{here}") for text in texts]
    return texts


def tour():
    return [block for block in blocks() if re.match(r"(waybill|mkdir) ", block)]


class Reader:
    """A person at a terminal, who follows the tour: types a line, waits for the prompt, says y when asked whether to trust."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {"HOME": str(folder), "PATH": f"{BIN}:/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "dumb", "LC_ALL": "C.UTF-8", "PS1": PROMPT, "PS2": ""}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], self.environment)
        self.until(PROMPT)
        self.line("stty -echo cols 200")

    def until(self, end):
        """All that is printed before the prompt."""
        seen, asked = "", 0
        deadline = time.monotonic() + 120
        while not seen.endswith(end):
            assert time.monotonic() < deadline, f"no prompt comes: {seen[-2000:]}"
            try:
                seen += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"the shell ended: {seen[-2000:]}") from None
            if seen.count("[y/N]?") > asked:
                asked += 1
                os.write(self.terminal, b"y\n")
        return seen[:-len(end)]

    def line(self, text):
        """Types a line; what it printed. Anything but status 0 is a failure of the tour."""
        os.write(self.terminal, text.encode() + b"\n")
        said = self.until(PROMPT)
        os.write(self.terminal, b"echo status=$?\n")
        status = re.search(r"status=(\d+)", self.until(PROMPT))
        assert status and status[1] == "0", f"'{text}' ended with {status and status[1]}: {said[-2000:]}"
        return said

    def close(self):
        for home in ("lab", "archive"):
            lock = self.folder / home / "lock"
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(lock.read_text()), signal.SIGTERM)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def follow_the_tour(reader, folder):
    said = ""
    for block in tour():
        for text in filter(None, block.splitlines()):
            said = reader.line(text)
            started = re.match(r"waybilld .*--listen (\S+)", text)
            if started:
                reader.line(f"until curl -ksf https://{started[1]}/healthz >/dev/null; do sleep 0.1; done")
    assert re.search(r"^[A-Za-z0-9+/=]{1000,}\s*$", said, re.M), f"the tour ends with a token, not with {said[-300:]}"
    assert (folder / "copy.pdf").read_bytes() == (folder / "paper.pdf").read_bytes()
    assert (folder / "karate/picture.png").read_bytes().startswith(b"\x89PNG")
    kept = reader.line("waybill ls lab:/").split()
    assert kept == ["/2026/measurements/a.dat", "/2026/measurements/b.dat", "/src.tar"], kept
    archived = reader.line("waybill ls archive:/").split()
    for path in ("/lab/2026/measurements/a.dat", "/src.tar", "/networks/karate.nwb", "/karate/picture.png"):
        assert path in archived, f"archive has no {path}: {archived}"


def fresh_token(reader, operation):
    return run(BIN / "waybill", "token", "--audience", "lab", "--operation", operation, env=reader.environment).stdout.decode().strip()


def call_from_everywhere(reader, folder):
    (python,), (php,), (node,) = blocks("python"), blocks("php"), blocks("js")
    (folder / "lab.pem").write_bytes(run(BIN / "waybill", "--home", folder / "lab", "identity", "--pem").stdout)
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(folder / "lab.pem")}

    def output(program, *command):
        file = folder / "snippet"
        file.write_text(program)
        ran = subprocess.run([*command, file], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        assert ran.returncode == 0, f"{command} ended with {ran.returncode}: {ran.stdout.decode()}"
        return ran.stdout.decode()

    said = output(f"TOKEN = {fresh_token(reader, 'Receive')!r}\n{python}\nprint(reply[0].Path, reply[0].Size)\n", "/usr/bin/python3")
    assert said.split() == ["/hello.txt", "5"], said
    said = output(f"<?php $token = '{fresh_token(reader, 'Copy')}';\n{php}", "php")
    assert said == "hello", said
    said = output(f"(async () => {{ const token = '{fresh_token(reader, 'List')}';\n{node}\nconsole.log(reply.Data.map(data => data.Path).join()); }})();", "node")
    assert said.strip() == "/2026/measurements/a.dat,/2026/measurements/b.dat,/hello.txt,/src.tar", said


def files_of_the_repository_are_there():
    """What README.md links to, and the files that it names."""
    for name in re.findall(r"\]\(([^)]+)\)", README) + re.findall(r"`((?:examples|docs|scripts)/[\w./-]+)`", README):
        assert (ROOT / name).exists(), f"README.md names {name}, which is not there"


def main():
    files_of_the_repository_are_there()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="waybill-readme-"))
    try:
        (folder / "examples").symlink_to(ROOT / "examples")
        (folder / "paper.pdf").write_bytes(os.urandom(200_000))
        for name in ("measurements/a.dat", "measurements/b.dat", "src/main.c"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(os.urandom(10_000))
        reader = Reader(folder)
        try:
            follow_the_tour(reader, folder)
            call_from_everywhere(reader, folder)
        finally:
            reader.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("README.md does what it says")


if __name__ == "__main__":
    main()
