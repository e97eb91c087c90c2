# SPDX-License-Identifier: GPL-3.0-or-later
"""Data that goes from one server to another while the client only asks for it: our third-party copies and chains, XRootD's third-party copy, and
what goes through the client where there is no such thing. Each function takes the Bench and returns Rows."""
import http.client
import os
import re
import shutil
import subprocess
import time

from . import ours
from .processes import client_context, curl_config, peak_kib, stop, timed
from .report import Row

from lab import Labs, element, envelope  # ours has put tests/support on the path
from peers import copy, endpoint, new_id, services, token_element

LIMIT = 900  # seconds after which what has not arrived is given up
POLLED = "ours is asked for after pauses of 1 % of the time gone"


class Caller:
    """A client of one instance on a kept connection, its tokens made some hundred at a time."""

    def __init__(self, build, instance):
        self.build, self.instance = build, instance
        self.connection = http.client.HTTPSConnection("127.0.0.1", instance.port, context=client_context(), timeout=LIMIT)
        self.minted = {}

    def token(self, operation):
        waiting = self.minted.setdefault(operation, [])
        if not waiting:
            self.stock(operation, 500)
        return waiting.pop()

    def stock(self, operation, count):
        """Makes tokens ahead of what is timed."""
        waiting = self.minted.setdefault(operation, [])
        if len(waiting) < count:
            waiting += ours.mint(self.build, self.instance, operation, count - len(waiting))

    def call(self, operation, body, headers=""):
        """(status, body)"""
        self.connection.request("POST", "/services/data", envelope(body, self.token(operation), headers), {"Content-Type": "text/xml; charset=utf-8"})
        reply = self.connection.getresponse()
        return reply.status, reply.read()

    def must(self, operation, body, headers="", status=200):
        got, text = self.call(operation, body, headers)
        if got != status:
            raise RuntimeError(f"{operation} at {self.instance.name}: HTTP status {got} instead of {status}: {text[:1000]!r}")
        return text

    def put(self, source, path):
        """Stores a file; returns its Id."""
        self.instance.waybill("put", "--quiet", source, f"{self.instance.name}:{path}")
        return element(self.must("Describe", f"<wb:Describe><wb:Data><wb:Path>{path}</wb:Path></wb:Data></wb:Describe>"), "Id")

    def delete(self, *paths):
        self.must("Delete", "<wb:Delete>" + "".join(f"<wb:Data><wb:Path>{path}</wb:Path></wb:Data>" for path in paths) + "</wb:Delete>")

    def begin(self, items, reply_to):
        """Begins a third-party copy; returns its MessageID."""
        named = new_id()
        headers = f"<wsa:Action>urn:waybill:1/Copy</wsa:Action><wsa:MessageID>{named}</wsa:MessageID>{reply_to}"
        self.must("Copy", copy(*items), headers, 202)
        return named

    def state(self, named):
        """How a transfer stands. One that failed is an error."""
        text = self.must("GetTransfer", f"<wb:GetTransfer><wb:MessageId>{named}</wb:MessageId></wb:GetTransfer>")
        state = element(text, "State")
        if state in ("Failed", "Cancelled"):
            raise RuntimeError(f"the transfer {named} at {self.instance.name} is {state}: {text[:2000]!r}")
        return state

    def receiver(self, onward=""):
        """What the endpoint reference of a receiver holds: a token for it, and where it sends what it has got, if anywhere."""
        return services(self.instance), token_element(self.token("Receive")) + onward


class Callers:
    """Instances that trust each other, with a Caller of each by its name; a context manager."""

    def __init__(self, build, *names, settings=""):
        self.build, self.labs = build, Labs(*names, settings=settings)

    def __enter__(self):
        try:
            self.labs.start()
            self.callers = {name: Caller(self.build, lab) for name, lab in self.labs.labs.items()}
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for caller in getattr(self, "callers", {}).values():
            caller.connection.close()
        self.labs.__exit__()

    def __getattr__(self, name):
        return self.__dict__["callers"][name]

    def peak(self, name):
        """MiB"""
        return peak_kib(self.labs[name].daemon_pid()) / 1024


def wait(arrived, what):
    """Asks until it is so, soon at first and then after pauses of one per cent of the time gone: so late is it noticed at most, and so few are the calls."""
    began = time.monotonic()
    while not arrived():
        gone = time.monotonic() - began
        if gone > LIMIT:
            raise RuntimeError(f"{what} has not arrived within {LIMIT} s")
        time.sleep(max(0.001, gone / 100))


def send(source, destination, items):
    """Seconds from the request to Succeeded, of one third-party copy."""
    source.stock("GetTransfer", 1000)
    source.stock("Copy", 1)
    reply_to = endpoint("wsa:ReplyTo", *destination.receiver())
    began = time.monotonic()
    named = source.begin(items, reply_to)
    wait(lambda: source.state(named) == "Succeeded", f"the transfer {named}")
    return time.monotonic() - began


def tpc(source, destination, arguments, complete):
    """Seconds until all is there, of XRootD's third-party copy, and until xrdcp has noticed. `arguments`: a function that gives those of xrdcp, called
    again for what is still missing when it ends early. The program that its server fetches with (5.5.3) now and then crashes or hangs, mostly at its end,
    when the file is whole: so it is the files that count."""
    began = time.monotonic()
    for _ in range(5):
        command = ["xrdcp", "-s", "--force", "--tpc", "only", *map(str, arguments())]
        with subprocess.Popen(command, env={**os.environ, **source.env}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            there = watch(process, began, complete)
            if there:
                return there
            error = process.stderr.read().decode(errors="replace")
    raise RuntimeError(f"{' '.join(command)} ended with {process.returncode} and without its files at {destination.files}: {error[-2000:]}")


def watch(process, began, complete):
    """Seconds until all is there, and until the process has ended; None when it ends before."""
    there = None
    while time.monotonic() - began < LIMIT:
        ended = process.poll() is not None
        if there is None and complete():
            there = time.monotonic() - began
        if ended or (there and time.monotonic() - began > there + 10):
            break
        time.sleep(max(0.005, (time.monotonic() - began) / 200))
    stop(process)
    return (there, time.monotonic() - began) if there else None


def large(bench):
    """One large object from A to B; what computes digests is our side."""
    note = f"{POLLED}; xrdcp looks for the end of its copy every 2.5 s, so XRootD's time is taken from the file at the destination"
    row = Row(f"third-party copy, {bench.size_text}", "MB/s", "xrdcp --tpc only, file whole", 1.0, note=note)
    command = Row(f"third-party copy, {bench.size_text}", "MB/s", "xrdcp --tpc only, whole command")
    through = Row(f"third-party copy, {bench.size_text}", "MB/s", "nginx to nginx, curl | curl")
    sources = [bench.peer(name) for name in ("xrootd", "nginx")]
    xrootd, nginx = bench.peer("xrootd-2"), bench.peer("nginx-2")
    for source in filter(None, sources):
        os.link(bench.large, source.files / "transfer")
    with Callers(bench.build, "a", "b") as instances:
        instances.a.put(bench.large, "/transfer")
        for _ in range(bench.rounds):
            rate = bench.size / 1e6 / send(instances.a, instances.b, ["/transfer"])
            for each in (row, command, through):
                each.ours.append(rate)
            instances.b.delete("/transfer")
            if xrootd:
                target = xrootd.files / "transfer"
                there, ended = tpc(sources[0], xrootd, lambda: [sources[0].third_party_url("transfer"), xrootd.third_party_url("transfer")],
                                   lambda: target.exists() and target.stat().st_size == bench.size)
                row.theirs.append(bench.size / 1e6 / there)
                command.theirs.append(bench.size / 1e6 / ended)
                target.unlink()
            if nginx:
                curl = f"curl -sS --fail --cacert {nginx.certificate}"
                ran = timed(["bash", "-c", f"set -o pipefail; {curl} {sources[1].url('transfer')} | {curl} -T - {nginx.url('transfer')}"])
                through.theirs.append(bench.rate(ran))
                (nginx.files / "transfer").unlink()
    for source in filter(None, sources):
        (source.files / "transfer").unlink()
    return [row, command, through]


def curl_one_by_one(bench, names, source, destination):
    """Seconds, of two curls on a kept connection each: what one gets goes through a pipe to the other, file by file."""
    pipes, get, put = bench.folder / "pipes", bench.folder / "get.cfg", bench.folder / "put.cfg"
    pipes.mkdir()
    for name in names:
        os.mkfifo(pipes / name)
    common = f'cacert = "{source.certificate}"\n'
    curl_config(get, [common + f'url = "{source.url("batch/" + name)}"\noutput = "{pipes / name}"\n' for name in names])
    # No "Expect: 100-continue", which it would send for what comes through a pipe: a round trip for each.
    curl_config(put, [common + f'header = "Expect:"\nupload-file = "{pipes / name}"\nurl = "{destination.url("batch/" + name)}"\n' for name in names])
    # Where one ends early, the other would wait at a pipe for ever.
    ran = timed(["timeout", str(LIMIT), "bash", "-c", f"curl -K {get} & curl -K {put} && wait $!"])
    shutil.rmtree(pipes)
    return ran.seconds


def batch(bench):
    """1,000 small objects as one third-party copy."""
    many = bench.small_files()
    names = sorted(file.name for file in many.iterdir())
    row = Row("1,000 x 10 KB, one third-party copy", "objects/s", "xrdcp --tpc only -r --parallel 64", 5.0, note=POLLED)
    through = Row("1,000 x 10 KB, one third-party copy", "objects/s", "nginx to nginx, curl to curl, one connection each")
    sources = [bench.peer(name) for name in ("xrootd", "nginx")]
    xrootd, nginx = bench.peer("xrootd-2"), bench.peer("nginx-2")
    for source in filter(None, sources):
        shutil.copytree(many, source.files / "batch")
    with Callers(bench.build, "a", "b") as instances:
        instances.labs.waybill("put", "--quiet", many, "a:/batch")
        paths = [f"/batch/{name}" for name in names]
        for _ in range(bench.rounds):
            rate = len(names) / send(instances.a, instances.b, paths)
            row.ours.append(rate)
            through.ours.append(rate)
            instances.b.delete(*paths)
            if xrootd:
                target = xrootd.make_folder("arrived")
                there, _ = tpc(sources[0], xrootd, lambda: tpc_folder(bench, sources[0], xrootd, names), lambda: arrived(target / "batch") == set(names))
                row.theirs.append(len(names) / there)
                shutil.rmtree(target)
            if nginx:
                through.theirs.append(len(names) / curl_one_by_one(bench, names, sources[1], nginx))
                if arrived(nginx.files / "batch") != set(names):
                    raise RuntimeError(f"curl said that all went well, and some of {len(names)} files are missing or cut in {nginx.files}/batch")
                shutil.rmtree(nginx.files / "batch")
    for source in filter(None, sources):
        shutil.rmtree(source.files / "batch")
    return [row, through]


def arrived(folder):
    """The names of the files that are there, whole."""
    return {file.name for file in os.scandir(folder) if file.stat().st_size == 10_000} if folder.exists() else set()


def tpc_folder(bench, source, destination, names):
    """xrdcp's arguments for the folder, or for what is missing of it."""
    there = arrived(destination.files / "arrived" / "batch")
    if not there:
        return ["-r", "--parallel", "64", source.third_party_url("batch"), destination.third_party_url("arrived")]
    missing = bench.folder / "missing"
    missing.write_text("".join(source.third_party_url(f"batch/{name}") + "\n" for name in names if name not in there))
    return ["--parallel", "64", "--infiles", missing, destination.third_party_url("arrived/batch/")]


def send_chain(stations, named_here, path):
    """Seconds until one object has come to the last station, each having sent it to the next."""
    onward = ""
    for station in reversed(stations[2:]):
        onward = endpoint("wb:Onward", *station.receiver(onward), ' wb:send="Data"')
    reply_to = endpoint("wsa:ReplyTo", *stations[1].receiver(onward))
    there = f"<wb:Describe><wb:Data><wb:Path>{path}</wb:Path></wb:Data></wb:Describe>"
    stations[0].stock("Copy", 1)
    stations[-1].stock("Describe", 300)
    began = time.monotonic()
    named = stations[0].begin([(named_here, path)], reply_to)
    wait(lambda: stations[-1].call("Describe", there)[0] == 200, f"the object of the chain {named}")
    seconds = time.monotonic() - began
    for station in stations[:-1]:
        wait(lambda: station.state(named) == "Succeeded", f"the end of the chain {named} at {station.instance.name}")
    return seconds


def chain(bench):
    """One small object through 2, 3 and 4 instances."""
    rows = {2: Row("chain of 2 instances, 10 KB", "ms", less=True, note="from the first call to the object at the last one, which is asked every millisecond")}
    for length, aim in ((3, 2.2), (4, 3.3)):
        rows[length] = Row(f"chain of {length} instances, 10 KB", "ms", "chain of 2", aim, less=True, note="linear is one for each hop: 2 for 3 instances, 3 for 4")
    small = bench.folder / "chained"
    small.write_bytes(os.urandom(10_000))
    with Callers(bench.build, *"abcd") as instances:
        stations = [instances.callers[name] for name in "abcd"]
        named_here = stations[0].put(small, "/chained")
        for length in rows:  # so that no connection is made, and no page of memory touched, for the first time
            send_chain(stations[:length], named_here, f"/warm/{length}")
        for n in range(20 * bench.rounds):
            for length, row in rows.items():
                row.ours.append(send_chain(stations[:length], named_here, f"/{length}/{n}") * 1000)
    for length in (3, 4):
        rows[length].theirs = rows[2].ours
    return list(rows.values())


def under_way(caller):
    text = caller.must("ListTransfers", "<wb:ListTransfers><wb:State>Active</wb:State></wb:ListTransfers>")
    return len(re.findall(rb"<(?:\w+:)?Transfer>", text))


def memory_of(bench, how, settings):
    """The most memory of both instances with 32 transfers under way."""
    objects, size = 32, min(bench.size, 64 << 20)
    # One thread of the queue is kept for callers who have nothing under way, so that 32 at once takes 33.
    settings = f"[transfers]\nactive = {objects + 1}\nper_peer = {objects}\n{settings}"
    rows = {name: Row(f"peak memory, 32 transfers at once, {how}, {what}", "MiB", aim=64, less=True) for name, what in (("a", "sender"), ("b", "receiver"))}
    source = bench.folder / "of-many"
    most = 0
    with Callers(bench.build, "a", "b", settings=settings) as instances:
        for n in range(objects):
            with open(source, "wb") as out:
                out.write(n.to_bytes(8, "big"))
                out.write(os.urandom(1 << 20) * (size // (1 << 20)))
            instances.a.put(source, f"/of-many/{n}")
        source.unlink()
        for caller, operation in ((instances.a, "Copy"), (instances.a, "ListTransfers"), (instances.a, "GetTransfer"), (instances.b, "Receive")):
            caller.stock(operation, 500)
        begun = [instances.a.begin([f"/of-many/{n}"], endpoint("wsa:ReplyTo", *instances.b.receiver())) for n in range(objects)]
        while begun:
            most = max(most, under_way(instances.a))
            if instances.a.state(begun[-1]) == "Succeeded":
                begun.pop()
            time.sleep(0.02)
        for name, row in rows.items():
            row.ours.append(instances.peak(name))
            row.note = f"{objects} x {size >> 20} MiB, {most} seen under way at the same time"
    return list(rows.values())


def memory(bench):
    """What is sent along goes by one connection each; what is pulled by several."""
    return (memory_of(bench, "attached", "lease_bytes = 0\n[server]\nworkers = 40\n") +
            memory_of(bench, "pulled", "lease_bytes = 1048576\n[server]\nworkers = 80\n"))


ALL = {"transfer": large, "transfer_batch": batch, "chain": chain, "transfer_memory": memory}
