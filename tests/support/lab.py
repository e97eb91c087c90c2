# SPDX-License-Identifier: GPL-3.0-or-later
"""A real instance on loopback and a client's home, for the tests: real programs, real TLS, real files.

    with Lab() as lab:
        lab.start()
        lab.waybill("put", file, "lab:/a")
        status, headers, body = lab.call("List", "<wb:List/>")

Several of them, with one client who has rights at each, for what goes from one to another:

    with Labs("a", "b") as labs:
        labs.start()
        labs.waybill("copy", "a:/x", "b:/y")
        assert labs.b.paths() == ["/y"]
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(os.environ.get("WAYBILL_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"


def run(*command, check=True, **options):
    """Runs a program to its end, its output as bytes; what it said on standard error is shown when it fails."""
    options.setdefault("timeout", 300)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done


def envelope(body, token=None, headers="", soap=SOAP11):
    token = f"<wb:Token>{token}</wb:Token>" if token else ""
    return (f'<s:Envelope xmlns:s="{soap}" xmlns:wb="urn:waybill:1" xmlns:wsa="{WSA}">'
            f"<s:Header>{token}{headers}</s:Header><s:Body>{body}</s:Body></s:Envelope>").encode()


def multipart(parts, boundary="waybill-test-boundary", last=True):
    """The bytes of a multipart body; each part is (header lines, content)."""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return body + (b"--" + boundary.encode() + b"--\r\n" if last else b"")


def related(boundary="waybill-test-boundary"):
    return f'multipart/related; type="text/xml"; boundary="{boundary}"'


def element(xml, name):
    """The text of the first element of that local name in a reply."""
    found = re.search(rb"<(?:[\w.-]+:)?" + name.encode() + rb"(?:\s[^>]*)?>([^<]*)<", xml)
    assert found, f"no {name} in {xml[:2000]!r}"
    return found.group(1).decode()


def make_home(home, name):
    """A key pair of that name; returns its certificate, PEM."""
    run(BIN / "waybill", "--home", home, "init", "--name", name)
    return run(BIN / "waybill", "--home", home, "identity", "--pem").stdout


def identity_of(home):
    """The instance id of a home."""
    return json.loads(run(BIN / "waybill", "--home", home, "identity", "--json").stdout)["id"]


class Lab:
    def __init__(self, settings="", grants="read,write,list,delete", name="lab", client_home=None):
        """One instance. Its client, alice, calls it `name`; she has a home of her own, or that of `client_home`."""
        self.name = name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="waybill-lab-"))
        self.home = self.folder / "server"
        self.client_home = client_home or self.folder / "client"
        self.process = None
        self.port = None
        self.certificate = self.folder / "lab.pem"
        self.certificate.write_bytes(make_home(self.home, name))
        if client_home is None:
            make_home(self.client_home, "alice")
        if grants:
            self.admit(self.client_home, "alice", grants)
        self.settings(settings)

    def admit(self, home, alias, grants, prefix="/"):
        """Trusts the key of that home, and gives it rights."""
        pem = self.folder / f"{alias}.pem"
        pem.write_bytes(run(BIN / "waybill", "--home", home, "identity", "--pem").stdout)
        run(BIN / "waybill", "--home", self.home, "trust", pem, "--as", alias)
        run(BIN / "waybill", "--home", self.home, "grant", alias, grants, prefix)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def id(self):
        return identity_of(self.home)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self, text):
        (self.home / "waybill.toml").write_text(text)

    def start(self, prefix=(), env=None, home=None):
        """Starts waybilld, by way of `prefix` (strace ...) if given, on a free port, or on the one it had before."""
        command = [*map(str, prefix), str(BIN / "waybilld"), "--home", str(home or self.home), "--listen", f"127.0.0.1:{self.port or 0}"]
        self.log = open(self.folder / "waybilld.log", "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(env or {})}, start_new_session=True)
        line = self.process.stdout.readline().decode()
        if not line:
            self.process.wait()
            raise AssertionError("waybilld did not start: " + (self.folder / "waybilld.log").read_text()[-2000:])
        self.port = int(line.strip().rsplit(":", 1)[1])
        if not getattr(self, "trusted", False):
            self.waybill("trust", self.url, "--as", self.name, "--fingerprint", self.id())
            self.trusted = True
        return self

    def daemon_pid(self):
        """The daemon's own process id, also when it runs below strace."""
        return int((self.home / "lock").read_text().split()[0])

    def stop(self, expect=0):
        os.kill(self.daemon_pid(), signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        assert expect is None or code == expect, f"waybilld ended with {code}: " + (self.folder / "waybilld.log").read_text()[-3000:]

    def kill(self):
        os.kill(self.daemon_pid(), signal.SIGKILL)
        self.process.wait(timeout=60)
        self.log.close()

    def waybill(self, *arguments, check=True, **options):
        return run(BIN / "waybill", "--home", self.client_home, *arguments, check=check, **options)

    def token(self, operation, *more, home=None):
        audience = self.certificate if home else self.name
        return run(BIN / "waybill", "--home", home or self.client_home, "token", "--audience", audience, "--operation", operation, *more).stdout.decode().strip()

    def connection(self, timeout=60):
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=timeout)

    def tls(self, timeout=60, source="127.0.0.1"):
        """A bare TLS socket, for what no HTTP library would send; called from that address of loopback."""
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout, (source, 0)), server_hostname="localhost")

    def post(self, body, content_type="text/xml; charset=utf-8", service="data", headers=None, timeout=60):
        """(status, headers, body) of one POST."""
        connection = self.connection(timeout)
        try:
            try:
                connection.request("POST", f"/services/{service}", body, {"Content-Type": content_type, **(headers or {})})
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                pass  # what is refused is cut after some MiB; the reply came before that
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def get(self, path, headers=None, method="GET"):
        connection = self.connection()
        try:
            connection.request(method, path, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def call(self, operation, body, headers="", token=None):
        """Calls an operation with a fresh token."""
        return self.post(envelope(body, token or self.token(operation), headers))

    def paths(self, prefix="/"):
        """The paths of all objects below a prefix."""
        return [line for line in self.waybill("ls", f"{self.name}:{prefix}").stdout.decode().splitlines() if line]


class Labs:
    """Several instances and one client, alice, who calls them by their names: labs.a, labs["a"], "a:/path"."""

    def __init__(self, *names, settings="", grants="read,write,list,delete"):
        """`settings` and `grants` are for all, or dicts by name."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="waybill-labs-"))
        self.client_home = self.folder / "client"
        self.labs = {}
        make_home(self.client_home, "alice")
        for name in names:
            self.labs[name] = Lab(self.of(settings, name), self.of(grants, name), name, self.client_home)

    @staticmethod
    def of(value, name):
        return value.get(name, "") if isinstance(value, dict) else value

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for lab in self.labs.values():
            lab.__exit__(*what)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __getitem__(self, name):
        return self.labs[name]

    def __getattr__(self, name):
        try:
            return self.__dict__["labs"][name]
        except KeyError:
            raise AttributeError(name) from None

    def start(self, introduce=True):
        """Starts all; with `introduce`, each trusts each other under its URL."""
        for lab in self.labs.values():
            lab.start()
        if introduce:
            for name in self.labs:
                for other in self.labs:
                    if other != name:
                        self.introduce(name, other)
        return self

    def introduce(self, name, other):
        """From now on `name` knows `other`, and where it is; so it may call it."""
        known = self.labs[other]
        run(BIN / "waybill", "--home", self.labs[name].home, "trust", known.url, "--as", other, "--fingerprint", known.id())

    def waybill(self, *arguments, check=True, **options):
        return run(BIN / "waybill", "--home", self.client_home, *arguments, check=check, **options)


def expect_fault(reply, code):
    status, _, body = reply
    assert status in (400, 500), f"expected the fault {code}, got {status}: {body[:500]!r}"
    assert code.encode() in body, f"expected the fault {code}, got {body[:1500]!r}"


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.02)


def main(*tests):
    """Runs test functions, one after another, or those named on the command line; exits 1 when one fails."""
    wanted = [test for test in tests if len(sys.argv) == 1 or test.__name__ in sys.argv[1:]]
    assert wanted, "no such test"
    failed = 0
    for test in wanted:
        try:
            test()
            print(f"ok      {test.__name__}", flush=True)
        except Exception as error:  # every failure is shown; the rest still runs
            failed += 1
            print(f"FAILED  {test.__name__}: {type(error).__name__}: {error}", flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
