# SPDX-License-Identifier: GPL-3.0-or-later
"""Algorithms for the tests, and calling them with messages written by hand."""
import email.parser
import email.policy
import re
import time
from xml.sax.saxutils import escape

from lab import SOAP11, element, envelope, multipart, related, wait_until
from peers import FINAL, new_id, services

PUBLISHED = {
    "text/cat": """
version = "1.0"
title = "What goes in comes out"
command = ["cat", "--", "{input.text}"]
standard_output = "text"
[inputs.text]
content_types = ["text/*"]
many = true
[outputs.text]
content_type = "text/plain"
""",
    "text/grep": """
version = "2.1"
title = "Lines with a word"
help = "Keeps the lines that have the word."
command = ["grep", { if = "ignore-case", then = ["-i"] }, { if = "most", then = ["-m", "{parameter.most}"] }, "-e", "{parameter.word}"]
standard_input = "text"
standard_output = "found"
[inputs.text]
[outputs.found]
content_type = "text/plain"
[parameters.word]
type = "string"
required = true
max_length = 40
[parameters.ignore-case]
type = "boolean"
default = false
[parameters.most]
type = "integer"
minimum = 1
maximum = 1000
""",
    "two": """
version = "1"
title = "Two outputs, one of which may be missing"
command = ["sh", "-c", "echo first > {output.one}; echo to the log; case {parameter.what} in all) echo second > {output.two};; esac"]
[outputs.one]
content_type = "text/plain"
[outputs.two]
content_type = "text/csv"
required = false
[parameters.what]
type = "enumeration"
values = ["all", "one"]
default = "all"
""",
    "shell": """
version = "1"
title = "Whatever a test wants"
command = ["sh", "-c", "{parameter.script}"]
[inputs.data]
required = false
[outputs.out]
content_type = "application/octet-stream"
file = "out"
[parameters.script]
type = "string"
required = true
[limits]
cpu_seconds = 20
wall_seconds = 20
memory = "256 MiB"
processes = 16
output = "16 MiB"
""",
    "quick": """
version = "1"
title = "Ends soon, one way or the other"
command = ["sh", "-c", "{parameter.script}"]
[outputs.out]
content_type = "text/plain"
required = false
[parameters.script]
type = "string"
required = true
[limits]
cpu_seconds = 1
wall_seconds = 6
memory = "64 MiB"
processes = 8
output = "1 MiB"
""",
}


def publish(lab, more=()):
    """Publishes the algorithms above at `lab`, and `more`, a dict of such."""
    for name, text in {**PUBLISHED, **dict(more)}.items():
        file = lab.home / "algorithms" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def given(name, *fields, token=None):
    """An Input: fields are (element, text), in the order of the schema."""
    inner = "".join(f"<wb:{field}>{escape(value)}</wb:{field}>" for field, value in fields)
    return f'<wb:Input name="{name}">{inner}' + (f"<wb:Token>{token}</wb:Token>" if token else "") + "</wb:Input>"


def invoke(algorithm, *inputs, store=None, attach=None, overwrite=None, outputs="", priority=None, **parameters):
    """The body of an Invoke; underscores in names of parameters stand for dashes."""
    return (f"<wb:Invoke><wb:Algorithm>{algorithm}</wb:Algorithm>{''.join(inputs)}"
            + "".join(f'<wb:Parameter name="{name.replace("_", "-")}">{escape(str(value))}</wb:Parameter>' for name, value in parameters.items())
            + (f"<wb:Store>{store}</wb:Store>" if store else "") + (f"<wb:Attach>{attach}</wb:Attach>" if attach else "")
            + (f"<wb:Overwrite>{overwrite}</wb:Overwrite>" if overwrite else "") + outputs
            + (f"<wb:Priority>{priority}</wb:Priority>" if priority is not None else "") + "</wb:Invoke>")


def send(lab, body, *endpoints, parts=(), token=None, message_id=None, soap=SOAP11, operation="Invoke", timeout=60):
    """Posts a message to the algorithm service; `parts` are (header lines, bytes). Returns (status, headers, body)."""
    addressing = ""
    if endpoints or message_id:
        addressing = f"<wsa:Action>urn:waybill:1/{operation}</wsa:Action><wsa:MessageID>{message_id or new_id()}</wsa:MessageID>" + "".join(endpoints)
    message = envelope(body, token or lab.token(operation), addressing, soap)
    kind = "text/xml; charset=utf-8" if soap == SOAP11 else "application/soap+xml; charset=utf-8"
    if parts:
        return lab.post(multipart([(f"Content-Type: {kind}", message), *parts]), related(), service="algorithms", timeout=timeout)
    return lab.post(message, kind, service="algorithms", timeout=timeout)


class Made:
    """What an InvokeResponse brought: outputs by name, their bytes, the log."""

    def __init__(self, reply):
        status, headers, body = reply
        assert status == 200, f"{status}: {body[:2000]!r}"
        self.parts = {}
        if headers["Content-Type"].startswith("multipart/"):
            message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
            root, *parts = message.iter_parts()
            self.parts = {part["Content-ID"].strip("<>"): part.get_payload(decode=True) for part in parts}
            self.xml = root.get_payload(decode=True)
        else:
            self.xml = body
        self.outputs = dict(re.findall(r'<wb:Output name="([^"]*)">(.*?)</wb:Output>', self.xml.decode(), re.S))

    def bytes(self, name):
        found = re.search(r"cid:([^\"<]*)", self.outputs[name])
        return self.parts[found[1].replace("%40", "@")]


def run(lab, body, *endpoints, **options):
    return Made(send(lab, body, *endpoints, **options))


class JobState:
    """What GetJob says."""

    def __init__(self, xml):
        self.xml = xml
        text = xml.decode()
        self.state, self.phase = element(xml, "State"), element(xml, "Phase")
        self.attempts = int(element(xml, "Attempts"))
        self.error, self.log, self.status = (found[1] if (found := re.search(f"<wb:{name}>([^<]*)<", text)) else None for name in ("LastError", "Log", "ExitStatus"))
        self.priority = int(found[1]) if (found := re.search(r"<wb:Priority>(\d+)<", text)) else None
        self.receipt = re.findall(r"<wb:Path>([^<]*)</wb:Path>", text)

    def __repr__(self):
        return f"{self.state} in {self.phase} after {self.attempts}: {self.error} [{self.log}]"


def job(lab, message_id, operation="GetJob", token=None):
    status, _, body = send(lab, f"<wb:{operation}><wb:Job>{message_id}</wb:Job></wb:{operation}>", operation=operation, token=token)
    assert status == 200, body
    return JobState(body)


def begin_job(lab, body, *endpoints, message_id=None, **options):
    """Begins a job; returns its name."""
    message_id = message_id or new_id()
    reply = send(lab, body, *endpoints, message_id=message_id, **options)
    assert reply[0] == 202 and reply[2] == b"", reply
    return message_id


def job_ended(lab, message_id, state, *words, seconds=60):
    """Waits for the end of a job, which is `state`."""
    deadline = time.monotonic() + seconds
    while (found := job(lab, message_id)).state not in FINAL:
        assert time.monotonic() < deadline, f"{message_id} has not ended within {seconds} s: {found}"
        time.sleep(0.05)
    assert found.state == state, found
    for word in words:
        assert word in (found.error or ""), f"no '{word}' in {found}"
    return found


def no_job_files(lab):
    """Nothing is left of what has run; a reply may be read a moment before its files go."""
    wait_until(lambda: not list((lab.home / "jobs").iterdir()), "the files of what has run are gone", 10)


def url(lab):
    return services(lab).removesuffix("/services/data")
