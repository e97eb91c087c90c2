# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured. Each function takes the Bench and returns Rows; ours and the peer's samples alternate within it."""
import json
import random
import re
import shutil
import subprocess
import time

from . import algorithms, ours, transfers
from .processes import curl_config, timed
from .report import Row


def large_with_curl(bench):
    """One large object in and out, the same curl on both sides: our Receive and Copy, nginx's PUT and GET."""
    put = Row(f"Receive, {bench.size_text}, curl", "MB/s", "nginx DAV PUT", 1.2, note="SHA-256 and adler32 computed on our side")
    get = Row(f"Copy, {bench.size_text}, curl to /dev/null", "MB/s", "nginx GET", 1.0)
    gsoap_put = Row(f"Receive, {bench.size_text}, curl", "MB/s", "gSOAP streaming", 3.0)
    gsoap_get = Row(f"Copy, {bench.size_text}, curl to /dev/null", "MB/s", "gSOAP streaming", 3.0)
    message = bench.folder / "message"
    instance = bench.instance()
    nginx, gsoap = bench.peer("nginx"), bench.peer("gsoap")
    ours.receive_message(message, [("/bench/large", bench.large)], instance.quick_token("Receive"), padded=True)
    for _ in range(bench.rounds):
        ours.renew(message, "/bench/large", instance.quick_token("Receive"))
        ran = timed(instance.curl() + ["-X", "POST", "-T", message, "-H", f"Content-Type: {ours.CONTENT_TYPE}", instance.endpoint()])
        rate = bench.rate(ran)
        put.ours.append(rate)
        gsoap_put.ours.append(rate)
        request = bench.folder / "copy.xml"
        request.write_bytes(ours.lab.envelope("<wb:Copy><wb:Data><wb:Path>/bench/large</wb:Path></wb:Data><wb:Attach>MTOM</wb:Attach></wb:Copy>", instance.quick_token("Copy")))
        ran = timed(instance.curl() + ["-o", "/dev/null", "-H", "Content-Type: text/xml; charset=utf-8", "--data-binary", f"@{request}", instance.endpoint()])
        get.ours.append(bench.rate(ran))
        gsoap_get.ours.append(bench.rate(ran))
        instance.delete("/bench/large")
        if nginx:
            curl = ["curl", "-sS", "--fail", "--cacert", nginx.certificate]
            put.theirs.append(bench.rate(timed(curl + ["-T", bench.large, nginx.url("large")])))
            get.theirs.append(bench.rate(timed(curl + ["-o", "/dev/null", nginx.url("large")])))
            (nginx.files / "large").unlink()
        if gsoap:
            gsoap_put.theirs.append(bench.rate(timed([gsoap.client, "put", gsoap.port, bench.large, "large"])))
            gsoap_get.theirs.append(bench.rate(timed([gsoap.client, "get", gsoap.port, "large", "/dev/null"])))
            (gsoap.files / "large").unlink()
    message.unlink()
    return [put, get, gsoap_put, gsoap_get]


def large_with_own_clients(bench):
    """Each system's own client, both writing a file: `waybill put`/`get` and `xrdcp` over roots://."""
    put = Row(f"waybill put, {bench.size_text}", "MB/s", "xrdcp roots://", 1.0, note="ours computes digests at both ends, and syncs what it wrote")
    get = Row(f"waybill get, {bench.size_text}", "MB/s", "xrdcp roots://", 1.0, note="ours computes digests at both ends, and syncs what it wrote")
    memory = Row("peak memory of the client, put", "MiB", "xrdcp", 1.0, less=True)
    memory_get = Row("peak memory of the client, get", "MiB", "xrdcp", 1.0, less=True)
    instance, xrootd = bench.instance(), bench.peer("xrootd")
    out = bench.folder / "fetched"
    waybill = [ours.lab.BIN / "waybill", "--home", instance.client_home, "--quiet"]
    for _ in range(bench.rounds):
        ran = timed(waybill + ["put", bench.large, "lab:/bench/own"])
        put.ours.append(bench.rate(ran))
        memory.ours.append(ran.peak / 1024)
        ran = timed(waybill + ["get", "lab:/bench/own", out])
        get.ours.append(bench.rate(ran))
        memory_get.ours.append(ran.peak / 1024)
        out.unlink()
        instance.delete("/bench/own")
        if xrootd:
            ran = timed(["xrdcp", "-s", bench.large, xrootd.url("large")], env=xrootd.env)
            put.theirs.append(bench.rate(ran))
            memory.theirs.append(ran.peak / 1024)
            ran = timed(["xrdcp", "-s", xrootd.url("large"), out], env=xrootd.env)
            get.theirs.append(bench.rate(ran))
            memory_get.theirs.append(ran.peak / 1024)
            out.unlink()
            (xrootd.files / "large").unlink()
    return [put, get, memory, memory_get]


def daemon_memory(bench):
    """After the large objects: the most memory that the daemon ever had."""
    row = Row("peak memory of the daemon", "MiB", aim=64, less=True, note=f"after all the transfers of {bench.size_text}")
    row.ours.append(bench.instance().peak() / 1024)
    return [row]


def small_batched(bench):
    """1,000 objects of 10 KB in one message, and as whole commands on a folder."""
    many = bench.small_files()
    put = Row("1,000 x 10 KB, one Receive, curl", "objects/s", "nginx, one connection", 1.0)
    aim = Row("1,000 x 10 KB, one Receive, curl", "objects/s", aim=5000)
    get = Row("1,000 x 10 KB, one Copy, curl", "objects/s", "nginx, one connection", 1.0)
    folder = Row("1,000 x 10 KB, waybill put of a folder", "objects/s", "xrdcp -r", 1.0)
    folder_get = Row("1,000 x 10 KB, waybill get of a folder", "objects/s", "xrdcp -r", 1.0)
    instance, nginx, xrootd = bench.instance(), bench.peer("nginx"), bench.peer("xrootd")
    names = sorted(file.name for file in many.iterdir())
    paths = [f"/many/{name}" for name in names]
    message, request = bench.folder / "many.mime", bench.folder / "many.xml"
    waybill = [ours.lab.BIN / "waybill", "--home", instance.client_home, "--quiet"]
    out = bench.folder / "many-out"
    for _ in range(bench.rounds):
        ours.receive_message(message, [(path, many / name) for path, name in zip(paths, names)], instance.quick_token("Receive"))
        ran = timed(instance.curl() + ["-X", "POST", "-T", message, "-H", f"Content-Type: {ours.CONTENT_TYPE}", instance.endpoint()])
        put.ours.append(len(names) / ran.seconds)
        aim.ours.append(len(names) / ran.seconds)
        wanted = "".join(f"<wb:Data><wb:Path>{path}</wb:Path></wb:Data>" for path in paths)
        request.write_bytes(ours.lab.envelope(f"<wb:Copy>{wanted}<wb:Attach>MTOM</wb:Attach></wb:Copy>", instance.quick_token("Copy")))
        ran = timed(instance.curl() + ["-o", "/dev/null", "-H", "Content-Type: text/xml; charset=utf-8", "--data-binary", f"@{request}", instance.endpoint()])
        get.ours.append(len(names) / ran.seconds)
        instance.delete(*paths)
        folder.ours.append(len(names) / timed(waybill + ["put", many, "lab:/many"]).seconds)
        folder_get.ours.append(len(names) / timed(waybill + ["get", "-r", "lab:/many", out]).seconds)
        shutil.rmtree(out)
        instance.delete(*paths)
        if nginx:
            files = nginx.files / "many"
            config = bench.folder / "curl.cfg"
            common = f'cacert = "{nginx.certificate}"\n'
            curl_config(config, [common + f'upload-file = "{many / name}"\nurl = "{nginx.url("many/" + name)}"\n' for name in names])
            put.theirs.append(len(names) / timed(["curl", "-K", config]).seconds)
            curl_config(config, [common + f'url = "{nginx.url("many/" + name)}"\n' for name in names])
            get.theirs.append(len(names) / timed(["curl", "-K", config]).seconds)
            shutil.rmtree(files)
        if xrootd:
            xrootd.make_folder("batch")
            folder.theirs.append(len(names) / timed(["xrdcp", "-s", "-r", many, xrootd.url("batch")], env=xrootd.env).seconds)
            out.mkdir()
            folder_get.theirs.append(len(names) / timed(["xrdcp", "-s", "-r", xrootd.url("batch/" + many.name, "root"), out], env=xrootd.env).seconds)
            shutil.rmtree(out)
            shutil.rmtree(xrootd.files / "batch")
    return [aim, put, get, folder, folder_get]


def small_one_by_one(bench):
    """1,000 calls with a token each on one kept connection; nginx asks for no permission at all."""
    many = bench.small_files()
    put = Row("1,000 x 10 KB one by one, Receive", "objects/s", "nginx, one connection", note="each of ours opens a token and commits it to the disk")
    get = Row("1,000 x 10 KB one by one, Copy", "objects/s", "nginx, one connection", note="each of ours opens a token and commits it to the disk")
    instance, nginx = bench.instance(), bench.peer("nginx")
    names = sorted(file.name for file in many.iterdir())
    config, messages = bench.folder / "single.cfg", bench.folder / "messages"
    for _ in range(bench.rounds):
        messages.mkdir()
        for name, token in zip(names, instance.tokens("Receive", len(names))):
            ours.receive_message(messages / name, [(f"/single/{name}", many / name)], token)
        common = f'cacert = "{instance.certificate}"\nurl = "{instance.endpoint()}"\n'
        quoted = ours.CONTENT_TYPE.replace('"', '\\"')
        curl_config(config, [common + f'header = "Content-Type: {quoted}"\ndata-binary = "@{messages / name}"\n' for name in names])
        put.ours.append(len(names) / timed(["curl", "-K", config]).seconds)
        for name, token in zip(names, instance.tokens("Copy", len(names))):
            (messages / name).write_bytes(ours.lab.envelope(f"<wb:Copy><wb:Data><wb:Path>/single/{name}</wb:Path></wb:Data><wb:Attach>MTOM</wb:Attach></wb:Copy>", token))
        curl_config(config, [common + f'header = "Content-Type: text/xml; charset=utf-8"\ndata-binary = "@{messages / name}"\n' for name in names])
        get.ours.append(len(names) / timed(["curl", "-K", config]).seconds)
        instance.delete(*(f"/single/{name}" for name in names))
        shutil.rmtree(messages)
        if nginx:
            theirs = f'cacert = "{nginx.certificate}"\n'
            curl_config(config, [theirs + f'upload-file = "{many / name}"\nurl = "{nginx.url("single/" + name)}"\n' for name in names])
            put.theirs.append(len(names) / timed(["curl", "-K", config]).seconds)
            curl_config(config, [theirs + f'url = "{nginx.url("single/" + name)}"\n' for name in names])
            get.theirs.append(len(names) / timed(["curl", "-K", config]).seconds)
            shutil.rmtree(nginx.files / "single")
    return [put, get]


def openssl_speed(seconds):
    """Bare curve operations a second on one core: (sign, verify, derive) of P-256."""
    text = subprocess.run(["openssl", "speed", "-seconds", str(seconds), "ecdsap256", "ecdhp256"], check=True, capture_output=True).stdout.decode()
    ecdsa = re.search(r"256 bits ecdsa \(nistp256\)\s+\S+\s+\S+\s+([\d.]+)\s+([\d.]+)", text)
    ecdh = re.search(r"256 bits ecdh \(nistp256\)\s+\S+\s+([\d.]+)", text)
    return float(ecdsa.group(1)), float(ecdsa.group(2)), float(ecdh.group(1))


def tokens(bench):
    """Tokens made and opened a second on one core, beside the curve operations that they cannot do without."""
    mint = Row("tokens minted, P-256", "1/s", "openssl speed: 2 sign, 1 key, 1 ECDH", 0.5, note="the key generation is counted as one signature")
    opened = Row("tokens opened, P-256", "1/s", "openssl speed: 2 verify, 1 ECDH", 0.5)
    mint_rsa, open_rsa = Row("tokens minted, RSA-3072", "1/s"), Row("tokens opened, RSA-3072", "1/s")
    rows = {"mint/P-256": mint, "open/P-256": opened, "mint/RSA-3072": mint_rsa, "open/RSA-3072": open_rsa}
    for _ in range(bench.rounds):
        ran = timed([bench.build / "bin/token_bench", "--benchmark_format=json", "--benchmark_min_time=0.5"])
        for result in json.loads(ran.output)["benchmarks"]:
            rows[result["name"]].ours.append(result["items_per_second"])
        sign, verify, derive = openssl_speed(1)
        mint.theirs.append(1 / (2 / sign + 1 / sign + 1 / derive))
        opened.theirs.append(1 / (2 / verify + 1 / derive))
    return [mint, opened, mint_rsa, open_rsa]


def listing(bench):
    """A page of List out of a catalog of a million objects, over SOAP on a kept connection."""
    instance = bench.another_instance()
    owner = json.loads(ours.lab.run(ours.lab.BIN / "waybill", "--home", instance.client_home, "identity", "--json").stdout)["id"]
    timed([bench.build / "bin/catalog_fill", instance.home / "catalog.sqlite", bench.objects, owner])
    instance.start()
    first = Row(f"List, first page of 1,000, {bench.objects:,} objects", "ms", aim=20, less=True)
    middle = Row(f"List, a later page of 1,000, {bench.objects:,} objects", "ms", aim=20, less=True)
    folder = Row(f"List, one folder of 1,000, {bench.objects:,} objects", "ms", aim=20, less=True)
    chooser = random.Random(1)
    connection = instance.kept_connection()
    minted = iter(instance.tokens("List", 40 * bench.rounds + 4))

    def page(body):
        message = ours.lab.envelope(f"<wb:List>{body}</wb:List>", next(minted))
        began = time.monotonic()
        connection.request("POST", "/services/data", message, {"Content-Type": "text/xml; charset=utf-8"})
        reply = connection.getresponse()
        text = reply.read()
        took = (time.monotonic() - began) * 1000
        if reply.status != 200 or text.count(b"<wb:Data>") + text.count(b":Data>") == 0:
            raise RuntimeError(f"List: {reply.status} {text[:1000]!r}")
        return took, text

    page("")
    following = re.search(rb"NextPageToken>([^<]+)<", page("")[1])
    for _ in range(10 * bench.rounds):
        first.ours.append(page("")[0])
        took, text = page(f"<wb:PageToken>{following.group(1).decode()}</wb:PageToken>" if following else "")
        middle.ours.append(took)
        following = re.search(rb"NextPageToken>([^<]+)<", text) or following
        folder.ours.append(page(f"<wb:Prefix>/bench/{chooser.randrange(max(1, bench.objects // 1000)):04d}</wb:Prefix>")[0])
    connection.close()
    instance.stop()
    return [first, middle, folder]


# In this order: the daemon's memory is read after the large objects and before anything else.
ALL = {"large": large_with_curl, "clients": large_with_own_clients, "memory": daemon_memory, "batch": small_batched, "single": small_one_by_one, "tokens": tokens, "list": listing,
       **transfers.ALL, "invoke": algorithms.invoke, "through": algorithms.through}
