# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers: nginx, XRootD and gSOAP's own streaming, each with TLS on a free loopback port, files below one folder."""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess

from .processes import free_port, of_session, stop, wait_for_port

PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"


def make_certificate(folder):
    """An EC P-256 certificate for all peers: what Waybill's own is by default."""
    certificate, key = folder / "peer.crt", folder / "peer.key"
    names = f"subjectAltName=DNS:localhost,DNS:{socket.gethostname()},IP:127.0.0.1"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7", "-subj", "/CN=localhost",
                    "-addext", names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def fill_in(template, target, **values):
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    target.write_text(text)


class Peer:
    """One server, its files in a folder of its own; a context manager."""
    program = None

    def __init__(self, folder, certificate, key):
        self.folder = folder
        self.files = self.folder / "files"
        self.files.mkdir(parents=True)
        self.certificate, self.key = certificate, key
        self.log = self.folder / "log"
        self.process = None
        self.port = None

    @classmethod
    def missing(cls, _build):
        """Why it cannot run here; empty when it can."""
        return "" if shutil.which(cls.program) else f"{cls.program} is not installed (scripts/install bench)"

    def start(self, command, **options):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options)

    def __exit__(self, *_):
        stop(self.process)


class Nginx(Peer):
    program = "nginx"

    def __enter__(self):
        self.port = free_port()
        (self.folder / "body").mkdir()
        user = "user root;" if os.geteuid() == 0 else ""
        fill_in(PEERS / "nginx/nginx.conf.in", self.folder / "nginx.conf", FOLDER=self.folder, PORT=self.port, CERTIFICATE=self.certificate, KEY=self.key, USER=user)
        self.start(["nginx", "-e", self.folder / "error.log", "-p", self.folder, "-c", self.folder / "nginx.conf"])
        wait_for_port(self.port, self.process, self.log)
        return self

    def url(self, name):
        return f"https://localhost:{self.port}/{name}"


class Xrootd(Peer):
    program = "xrootd"

    def __enter__(self):
        self.port = free_port()
        admin, trusted = self.folder / "admin", self.folder / "ca"
        admin.mkdir()
        trusted.mkdir()
        key = self.folder / "xrootd.key"
        shutil.copy(self.key, key)
        shutil.copy(self.certificate, trusted / "peer.pem")
        subprocess.run(["openssl", "rehash", trusted], check=True, capture_output=True)
        # It wants a hashed folder of trusted certificates, its clients too.
        self.env = {"X509_CERT_DIR": str(trusted)}
        fill_in(PEERS / "xrootd/xrootd.cfg.in", self.folder / "xrootd.cfg", FOLDER=self.folder, PORT=self.port, CERTIFICATE=self.certificate, KEY=key)
        self.start(["xrootd", "-c", self.folder / "xrootd.cfg", "-I", "v4"], cwd=self.folder, env={**os.environ, **self.env}, start_new_session=True, **self.user(key))
        wait_for_port(self.port, self.process, self.log)
        return self

    def user(self, key):
        """It refuses to run as root."""
        if os.geteuid() != 0:
            return {}
        user = pwd.getpwnam("xrootd")
        for name in [self.folder, *self.folder.rglob("*"), key]:
            os.chown(name, user.pw_uid, user.pw_gid, follow_symlinks=False)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def __exit__(self, *_):
        """Its copies that hang (see transfers.py) would outlive it."""
        stop(self.process)
        for pid in of_session(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def make_folder(self, name):
        """xrdcp -r copies into a folder that is there."""
        path = self.files / name
        path.mkdir()
        if os.geteuid() == 0:
            user = pwd.getpwnam("xrootd")
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def url(self, name, scheme="roots", host=None):
        """xrdcp -r fetches from root:// alone; the server asks its clients for TLS there too."""
        return f"{scheme}://{host or socket.gethostname()}:{self.port}//{name}"

    def third_party_url(self, name):
        """By the name that the address has: the source lets the destination fetch only when it comes from where the client said."""
        return self.url(name, "root", "localhost")


class Gsoap(Peer):
    @classmethod
    def missing(cls, build):
        return "" if (build / "bin/gsoap_stream").exists() else "gsoap_stream is not built (WAYBILL_BENCH=ON)"

    def __init__(self, folder, certificate, key, build):
        super().__init__(folder, certificate, key)
        self.client = build / "bin/gsoap_stream"

    def __enter__(self):
        self.process = subprocess.Popen([str(self.client), "serve", "0", str(self.certificate), str(self.key), str(self.files)], stdout=subprocess.PIPE,
                                        stderr=open(self.log, "wb"))
        line = self.process.stdout.readline().split()
        if len(line) != 2:
            raise RuntimeError("gsoap_stream did not start: " + self.log.read_text())
        self.port = int(line[1])
        return self
