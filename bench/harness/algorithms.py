# SPDX-License-Identifier: GPL-3.0-or-later
"""Algorithms: what the call of a program costs beside its bare start, and a large object through one."""
import os
import subprocess
import threading
import time

from . import ours
from .processes import timed
from .report import Row

TRUE = 'version = "1"\ntitle = "Nothing"\ncommand = ["true"]\n[inputs.data]\nrequired = false\n'
CAT = """
version = "1"
title = "What goes in comes out"
command = ["cat"]
standard_input = "data"
standard_output = "data-out"
[inputs.data]
[outputs.data-out]
[limits]
output = "64 GiB"
"""
# What Sandbox has bwrap do, without what watches it: namespaces, the system read-only, /proc, /dev, /tmp.
BWRAP = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr",
         *(word for folder in ("bin", "sbin", "lib", "lib64") if os.path.islink(f"/{folder}") for word in ("--symlink", f"usr/{folder}", f"/{folder}")),
         "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp", "--", "/usr/bin/true"]
CALLERS = 8


def instance_with_algorithms(bench):
    instance = ours.Instance(bench.build, "[algorithms]\nactive = 8\nper_principal = 8\nwaiting = 16\n[server]\nworkers = 32\n", grants="invoke,read,write")
    for name, text in (("nothing", TRUE), ("cat", CAT)):
        file = instance.home / "algorithms" / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return bench.stack.enter_context(instance).start()


def started(command):
    began = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return (time.monotonic() - began) * 1000


def caller(instance, tokens):
    """A function that makes one call on a kept connection, and says how many milliseconds it took."""
    connection = instance.kept_connection()
    body = '<wb:Invoke><wb:Algorithm>nothing</wb:Algorithm><wb:Input name="data"><wb:Content>' + "QUJD" * 341 + "</wb:Content></wb:Input></wb:Invoke>"

    def call():
        message = ours.lab.envelope(body, tokens.pop())
        began = time.monotonic()
        connection.request("POST", "/services/algorithms", message, {"Content-Type": "text/xml; charset=utf-8"})
        reply = connection.getresponse()
        text = reply.read()
        assert reply.status == 200, text[:500]
        return (time.monotonic() - began) * 1000
    return call


def invoke(bench):
    """One call of `true` with 1 KB of input, and many at once."""
    bare = Row("Invoke of `true`, 1 KB in", "ms", "bwrap true", 1.5, less=True, note="TLS, token opened and spent, sandbox watched")
    plain = Row("Invoke of `true`, 1 KB in", "ms", "fork+exec true", less=True)
    rate = Row(f"Invoke of `true`, {CALLERS} callers", "calls/s")
    instance = instance_with_algorithms(bench)
    calls = 40
    for _ in range(bench.rounds):
        call = caller(instance, instance.tokens("Invoke", calls))
        for _ in range(calls):
            took = call()
            bare.ours.append(took)
            plain.ours.append(took)
            bare.theirs.append(started(BWRAP))
            plain.theirs.append(started(["/usr/bin/true"]))
        workers = [caller(instance, instance.tokens("Invoke", calls)) for _ in range(CALLERS)]
        threads = [threading.Thread(target=lambda call=call: [call() for _ in range(calls)]) for call in workers]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate.ours.append(CALLERS * calls / (time.monotonic() - began))
    return [bare, plain, rate]


def through(bench):
    """One large object through `cat`: attached by MTOM, and attached to the reply."""
    row = Row(f"Invoke of `cat`, {bench.size_text} in and out", "MB/s", note="in the clear it is written once, read once, and the output the same")
    memory = Row("peak memory of the daemon, `cat`", "MiB", aim=64, less=True)
    instance = instance_with_algorithms(bench)
    message = bench.folder / "invoke"
    part = ours.data_element("/none", "part0").replace("<wb:Data><wb:Path>/none</wb:Path>", '<wb:Input name="data">').replace("</wb:Data>", "</wb:Input>")
    body = f"<wb:Invoke><wb:Algorithm>cat</wb:Algorithm>{part}</wb:Invoke>"
    for _ in range(bench.rounds):
        ours.message_of(message, body, [bench.large], instance.quick_token("Invoke"))
        ran = timed(instance.curl() + ["--fail", "-o", "/dev/null", "-X", "POST", "-T", message, "-H", f"Content-Type: {ours.CONTENT_TYPE}", instance.endpoint("algorithms")])
        row.ours.append(bench.rate(ran))
    memory.ours.append(instance.peak() / 1024)
    message.unlink()
    return [row, memory]
