# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances meet when they call others: messages whose replies go elsewhere, an HTTPS server that records what arrives, a TCP relay that cuts.

    with Peer() as peer, Labs("a", settings=peer.egress) as labs:
        labs.start()
        post(labs.a, "List", "<wb:List/>", "urn:uuid:1", reply_to=endpoint("wsa:ReplyTo", peer.url))
        request = peer.next()
"""
import contextlib
import http.server
import pathlib
import queue
import re
import shutil
import socket
import ssl
import tempfile
import threading
import time
import uuid

from lab import SOAP11, SOAP12, element, envelope, run

FINAL = ("Succeeded", "Failed", "Cancelled")


def new_id():
    return f"urn:uuid:{uuid.uuid4()}"


def endpoint(name, address, parameters="", attributes=""):
    """An endpoint reference: wsa:ReplyTo, wsa:FaultTo, wb:Onward."""
    parameters = f"<wsa:ReferenceParameters>{parameters}</wsa:ReferenceParameters>" if parameters else ""
    return f"<{name}{attributes}><wsa:Address>{address}</wsa:Address>{parameters}</{name}>"


def token_element(token):
    return f"<wb:Token>{token}</wb:Token>"


def services(lab):
    return lab.url + "/services/data"


def reply_to(lab, *more, address=None, parameters=""):
    """The receive endpoint of an instance with a token for it; `more` are options of `waybill token`."""
    return endpoint("wsa:ReplyTo", address or services(lab), token_element(lab.token("Receive", *more)) + parameters)


def onward(lab, parameters="", send=None):
    return endpoint("wb:Onward", services(lab), token_element(lab.token("Receive")) + parameters, f' wb:send="{send}"' if send else "")


def copy(*items, attach=None, priority=None):
    """The body of a Copy; an item is a Path, or (Id, Path for the other side)."""
    data = "".join(f"<wb:Data><wb:Path>{item}</wb:Path></wb:Data>" if isinstance(item, str)
                   else f"<wb:Data><wb:Id>{item[0]}</wb:Id><wb:Path>{item[1]}</wb:Path></wb:Data>" for item in items)
    return (f"<wb:Copy>{data}{f'<wb:Attach>{attach}</wb:Attach>' if attach else ''}"
            f"{f'<wb:Priority>{priority}</wb:Priority>' if priority is not None else ''}</wb:Copy>")


def post(lab, operation, body, message_id, *endpoints, soap=SOAP11, token=None, headers=None):
    """Posts a message with WS-Addressing; returns (status, headers, body)."""
    addressing = f"<wsa:Action>urn:waybill:1/{operation}</wsa:Action><wsa:MessageID>{message_id}</wsa:MessageID>" + "".join(endpoints)
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    return lab.post(envelope(body, token or lab.token(operation), addressing, soap), f"{kind}; charset=utf-8", headers=headers)


def begin(lab, body, *endpoints, message_id=None, **options):
    """Begins a third-party copy; returns its name."""
    message_id = message_id or new_id()
    reply = post(lab, "Copy", body, message_id, *endpoints, **options)
    assert reply[0] == 202 and reply[2] == b"", reply
    return message_id


class State:
    """What GetTransfer says."""

    def __init__(self, xml):
        self.xml = xml
        text = xml.decode()
        self.state = element(xml, "State")
        self.attempts = int(element(xml, "Attempts"))
        self.done, self.total = (int(element(xml, name)) for name in ("BytesDone", "BytesTotal"))
        error = re.search(r"<wb:LastError>([^<]*)<", text)
        self.error = error[1] if error else ""
        priority = re.search(r"<wb:Priority>(\d+)<", text)
        self.priority = int(priority[1]) if priority else None
        self.receipt = re.findall(r"<wb:Path>([^<]*)</wb:Path>", text)

    def __repr__(self):
        return f"{self.state} after {self.attempts}, {self.done}/{self.total}: {self.error}"


def transfer(lab, message_id, operation="GetTransfer"):
    status, _, body = lab.call(operation, f"<wb:{operation}><wb:MessageId>{message_id}</wb:MessageId></wb:{operation}>")
    assert status == 200, body
    return State(body)


def ended(lab, message_id, seconds=60):
    """Waits for the end of a transfer."""
    deadline = time.monotonic() + seconds
    while (found := transfer(lab, message_id)).state not in FINAL:
        assert time.monotonic() < deadline, f"{message_id} has not ended within {seconds} s: {found}"
        time.sleep(0.05)
    return found


def succeeded(lab, message_id, seconds=60):
    found = ended(lab, message_id, seconds)
    assert found.state == "Succeeded", found
    return found


def failed(lab, message_id, *words, seconds=60):
    found = ended(lab, message_id, seconds)
    assert found.state == "Failed", found
    for word in words:
        assert word in found.error, f"no '{word}' in {found}"
    return found


def store(lab, path, content, *options):
    """Stores bytes with the waybill command; returns the object's Id."""
    source = lab.folder / "to-store"
    source.write_bytes(content)
    lab.waybill("put", "--overwrite", "always", *options, source, f"{lab.name}:{path}")
    return element(lab.call("Describe", f"<wb:Describe><wb:Data><wb:Path>{path}</wb:Path></wb:Data></wb:Describe>")[2], "Id")


def stored(lab, path):
    return lab.waybill("get", f"{lab.name}:{path}", "-").stdout


def holds(lab, contents):
    """Nothing but these objects is there, whole; nothing lies about in the store."""
    assert sorted(lab.paths()) == sorted(contents), f"{lab.name} has {lab.paths()}"
    for path, content in contents.items():
        found = stored(lab, path)
        assert found == content, f"{path} at {lab.name}: {len(found)} bytes came back instead of {len(content)}, or others"
    files = [entry for entry in (lab.home / "content").rglob("*") if entry.is_file() and entry.name != "mark"]
    assert len(files) == len(contents), f"{lab.name} keeps {len(files)} content files for {len(contents)} objects"


class Arrived:
    """A request that came to a Peer."""

    def __init__(self, handler, body):
        self.method, self.path, self.headers, self.body = handler.command, handler.path, handler.headers, body

    def text(self, name):
        return element(self.body, name)

    @property
    def soap12(self):
        return SOAP12.encode() in self.body


def receipt(arrived, change=lambda data: data):
    """The ReceiveResponse that fits a CopyResponse."""
    data = "".join(f"<wb:Data><wb:Id>https://peer/data/{n}</wb:Id>" + b"".join(parts).decode() + "</wb:Data>"
                   for n, parts in enumerate(re.findall(rb"(<wb:Path>[^<]*</wb:Path>).*?(<wb:Size>\d+</wb:Size>)(<wb:Digest[^>]*>[^<]*</wb:Digest>)", arrived.body, re.S)))
    soap = SOAP12 if arrived.soap12 else SOAP11
    headers = (f"<wsa:RelatesTo>{arrived.text('MessageID')}</wsa:RelatesTo><wsa:Action>urn:waybill:1/ReceiveResponse</wsa:Action>"
               f"<wsa:MessageID>{new_id()}</wsa:MessageID>")
    return 200, soap, envelope(f"<wb:ReceiveResponse>{change(data)}</wb:ReceiveResponse>", headers=headers, soap=soap)


def foreign_fault(arrived, of_sender, status=500):
    """As a receiver answers that is no Waybill."""
    if arrived.soap12:
        body = (f"<s:Fault><s:Code><s:Value>s:{'Sender' if of_sender else 'Receiver'}</s:Value></s:Code>"
                '<s:Reason><s:Text xml:lang="en">says the foreigner</s:Text></s:Reason></s:Fault>')
        return status, SOAP12, envelope(body, soap=SOAP12)
    body = f"<s:Fault><faultcode>s:{'Client' if of_sender else 'Server'}</faultcode><faultstring>says the foreigner</faultstring></s:Fault>"
    return status, SOAP11, envelope(body, soap=SOAP11)


def fault(arrived, code, status=500):
    soap = SOAP12 if arrived.soap12 else SOAP11
    detail = f"<wb:Fault><wb:Code>{code}</wb:Code><wb:Reason>the peer says {code}</wb:Reason></wb:Fault>"
    body = (f"<s:Fault><faultcode>s:Server</faultcode><faultstring>no</faultstring><detail>{detail}</detail></s:Fault>" if soap == SOAP11 else
            f'<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang="en">no</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>')
    return status, soap, envelope(body, soap=soap)


class Peer:
    """An HTTPS server on loopback. `answer` makes of an Arrived (status, SOAP version or header fields, body); without one it answers 202."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda _: (202, {}, b""))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="waybill-peer-"))
        self.certificate = self.folder / "peer.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=peer",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.folder / "key", "-out", self.certificate)
        self.arrived = queue.Queue()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # who goes away early is no error here
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.folder / "key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/take"

    @property
    def egress(self):
        """Settings of an instance that may call this server."""
        return f'[egress]\nallow = ["127.0.0.1:{self.port}", "127.0.0.1"]\nca_file = "{self.certificate}"\n'

    def handler(self):
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def body(self):
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                chunks = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    chunks += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return chunks

            def serve(self):
                arrived = Arrived(self, self.body())
                peer.arrived.put(arrived)
                status, fields, body = peer.answer(arrived)
                if isinstance(fields, str):
                    fields = {"Content-Type": "text/xml; charset=utf-8" if fields == SOAP11 else "application/soap+xml; charset=utf-8"}
                self.send_response(status)
                for field in {**fields, "Content-Length": str(len(body))}.items():
                    self.send_header(*field)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_HEAD = do_POST = serve

            def log_message(self, *_):
                pass

        return Handler

    def next(self, seconds=30):
        """The request that came next."""
        return self.arrived.get(timeout=seconds)

    def quiet(self, seconds=0.5):
        """Nothing more comes."""
        with contextlib.suppress(queue.Empty):
            raise AssertionError(f"something came to the peer: {self.arrived.get(timeout=seconds).body[:500]!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Relay:
    """Passes TCP connections on to a port; `plan` says for each, in order, how it goes: None whole; ("in", n) or ("out", n): cut when so many bytes
    have gone in to the server, or out of it; ("answer", n): cut at the first byte that the server says after n went in; ("stall",): taken, and
    nothing passes. Connections after the plan's end go as `then`. `slow` is the seconds that each 64 KiB take."""

    def __init__(self, port=None, plan=(), then=None, slow=0.0):
        self.target, self.plan, self.then, self.slow = port, list(plan), then, slow
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.taken = self.cuts = self.passed = 0
        self.open = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for sock in self.open:
            self.shut(sock)

    @staticmethod
    def shut(sock):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                self.open.append(near)
                how = self.plan.pop(0) if self.plan else self.then
                self.taken += 1
                if how == ("stall",):
                    continue
                threading.Thread(target=self.serve, args=(near, how), daemon=True).start()

    def serve(self, near, how):
        counts = {"in": 0, "out": 0}
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            return
        self.open.append(far)
        other = threading.Thread(target=self.pump, args=(far, near, "out", counts, how), daemon=True)
        other.start()
        self.pump(near, far, "in", counts, how)
        other.join()
        near.close()
        far.close()

    def pump(self, source, sink, way, counts, how):
        try:
            while data := source.recv(65536):
                if how is not None and self.cut_now(way, counts, how, data):
                    with self.lock:
                        self.cuts += 1
                    break
                sink.sendall(data)
                counts[way] += len(data)
                self.passed += len(data)
                if self.slow:
                    time.sleep(self.slow * len(data) / 65536)
        except OSError:
            pass
        self.shut(source)
        self.shut(sink)

    @staticmethod
    def cut_now(way, counts, how, data):
        what, limit = how
        return (what == way and counts[way] + len(data) > limit) or (what == "answer" and way == "out" and counts["in"] >= limit)
