#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""copy, transfers, and put of URLs, between running instances: what arrives, what is left out, what goes on without the client, and which side an
error is about."""
import http.server
import json
import os
import signal
import ssl
import subprocess
import threading

import transcript
from transcript import BIN
from lab import Labs, main, run, wait_until


class Work(transcript.Work):
    def transfers(self, instance="a"):
        return json.loads(self.good("transfers", instance, "--json").out)


def tree(folder, name="tree"):
    made = {"one": b"1", "empty": b"", "sub/two": os.urandom(50_000), "sub/deep/ümläut & <x>": b"odd", "large": os.urandom(3_000_000)}
    for path, data in made.items():
        folder.write(f"{name}/{path}", data)
    return made


def an_object_gets_the_name_that_is_asked_for():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start()
        folder.write("x", b"content")
        folder.good("put", "--content-type", "text/x-odd", "--metadata", "k=v", "x", "a:/docs/x")
        done = folder.good("copy", "a:/docs/x", "b:/in/")
        assert "copied 1 object" in done.err and done.out == "", done
        folder.good("copy", f"{labs.a.url}/docs/x", f"{labs.b.url}/renamed/y")
        identity = json.loads(folder.good("stat", "--json", "a:/docs/x").out)[0]["id"]
        folder.good("copy", identity, "b:/by-id")
        assert labs.b.paths() == ["/by-id", "/in/x", "/renamed/y"]
        there = json.loads(folder.good("stat", "--json", "b:/renamed/y").out)[0]
        assert there["contentType"] == "text/x-odd" and there["metadata"] == [{"name": "k", "value": "v"}], there
        assert folder.content("b:/renamed/y") == b"content"
        row = json.loads(folder.good("copy", "--json", "a:/docs/x", "b:/json").out)[0]
        assert row["source"] == "a:/docs/x" and row["destination"] == "b:/json" and row["state"] == "Succeeded" and row["size"] == 7, row
        assert row["transfer"] in [transfer["messageId"] for transfer in folder.transfers()], row


def a_folder_keeps_its_tree():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start()
        made = tree(folder)
        folder.good("put", "tree", "a:/tree")
        for arguments, prefix in (("-r", "a:/tree", "b:/in/"), "/in/tree"), (("a:/tree/", "b:/in2/"), "/in2/tree"), (("-r", "a:/tree", "b:/place"), "/place"), \
                (("a:/", "b:/all/"), "/all/tree"):
            done = folder.good("copy", *arguments)
            assert f"copied {len(made)} objects" in done.err, done
            assert {path: folder.content(f"b:{prefix}/{path}") for path in made} == made, prefix
        assert len(labs.b.paths()) == 4 * len(made)


def what_is_there_is_left_out_or_replaced_as_asked():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start()
        folder.write("new", b"new")
        folder.write("old", b"old")
        folder.good("put", "new", "a:/d/same")
        folder.good("put", "new", "a:/d/other")
        folder.good("put", "new", "a:/d/missing")
        folder.good("put", "new", "b:/d/same")
        folder.good("put", "old", "b:/d/other")
        done = folder.bad(1, "copy", "-r", "a:/d", "b:/d")
        assert "'b:/d/other'" in done.err and "destination: " in done.err and "[AlreadyExists]" in done.err and "--overwrite" in done.err, done
        assert "copied 1 object" in done.err and "1 object there already" in done.err, done
        assert folder.content("b:/d/other") == b"old" and folder.content("b:/d/missing") == b"new"
        before = len(folder.transfers())
        done = folder.good("copy", "-r", "--overwrite", "if-different", "a:/d", "b:/d")
        assert "copied 1 object" in done.err and "2 objects there already" in done.err, done
        assert folder.content("b:/d/other") == b"new" and len(folder.transfers()) == before + 1
        assert "copied 3 objects" in folder.good("copy", "-r", "--overwrite", "always", "a:/d", "b:/d").err
        states = [row["state"] for row in json.loads(folder.good("copy", "--json", "-r", "a:/d", "b:/d").out)]
        assert states == ["Present"] * 3, states


def who_may_not_list_there_is_told_by_the_delivery():
    with Labs("a", "b", grants={"a": "read,write,list", "b": "write"}) as labs, Work(labs) as folder:
        labs.start()
        tree(folder)
        folder.good("put", "tree", "a:/tree")
        folder.good("put", "tree/sub/two", "b:/t/one")
        done = folder.bad(1, "copy", "-r", "a:/tree", "b:/t")
        assert done.err.count("[AlreadyExists]") == 1 and "'b:/t/one'" in done.err and "destination: " in done.err, done
        assert "copied 4 objects" in done.err, done


def within_one_instance():
    with Labs("a") as labs, Work(labs) as folder:
        labs.start()
        made = tree(folder)
        folder.good("put", "tree", "a:/tree")
        assert f"copied {len(made)} objects" in folder.good("copy", "-r", "a:/tree", "a:/again").err
        assert {path: folder.content(f"a:/again/{path}") for path in made} == made


def transfers_go_on_without_the_client():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start()
        tree(folder)
        folder.good("put", "tree", "a:/tree")
        labs.b.stop()
        # --overwrite always asks nothing of the destination before it begins.
        waiting = subprocess.Popen([BIN / "waybill", "--home", labs.client_home, "copy", "-r", "--overwrite", "always", "a:/tree", "b:/t"], cwd=folder.path,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: folder.transfers() and folder.transfers()[0]["attempts"] > 0, "the first attempt")
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=60)
        identity = folder.transfers()[0]["messageId"].removeprefix("urn:uuid:")
        assert waiting.returncode == -signal.SIGINT and identity.encode() in err and b"waybill transfers a --watch" in err and b"cancel" in err, err
        detached = folder.good("copy", "--detach", "--overwrite", "always", "a:/tree/one", "b:/detached").out.split()
        assert len(detached) == 1 and detached[0].startswith("urn:uuid:"), detached
        table = folder.good("transfers", "a").out
        assert "Queued" in table or "Active" in table, table
        assert "/t/empty and 4 more -> " + labs.b.url in table and "POST" in table, table
        watching = subprocess.Popen([BIN / "waybill", "--home", labs.client_home, "transfers", "a:", "--watch"], cwd=folder.path, stdout=subprocess.PIPE, text=True)
        seen = watching.stdout.readline() + watching.stdout.readline()  # both, before there is anything new
        labs.b.start()
        watched = seen + watching.communicate(timeout=120)[0]
        assert watching.returncode == 0 and watched.count("Succeeded") == 2, watched
        assert len(labs.b.paths("/t")) == 5 and labs.b.paths("/detached") == ["/detached"]


def what_is_on_its_way_is_joined():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start()
        tree(folder)
        folder.good("put", "tree", "a:/tree")
        labs.b.stop()
        first = folder.good("copy", "-r", "--detach", "--overwrite", "always", "a:/tree", "b:/t").out.split()
        folder.good("put", "tree/one", "a:/tree/later")
        # The pause before the next attempt is longer than what comes until the command asks.
        wait_until(lambda: folder.transfers()[0]["attempts"] >= 4, "the fourth attempt")
        labs.b.start()
        rows = json.loads(folder.good("copy", "-r", "--json", "--overwrite", "always", "a:/tree", "b:/t").out)
        transfers = {row["destination"]: row["transfer"] for row in rows}
        assert len(rows) == 6 and transfers["b:/t/one"] == first[0] and transfers["b:/t/later"] != first[0], rows
        assert len(folder.transfers()) == 2


def what_another_run_sends_there_is_not_taken_for_this():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start()
        for name in ("one", "two"):
            folder.write(name, name.encode())
            folder.good("put", name, f"a:/{name}")
        labs.b.stop()
        folder.good("copy", "--detach", "--overwrite", "always", "a:/one", "b:/t")
        wait_until(lambda: folder.transfers()[0]["attempts"] >= 4, "the fourth attempt")
        labs.b.start()
        done = folder.good("copy", "--wait", "--overwrite", "always", "a:/two", "b:/t")
        assert "tried again, after: DeliveryFailed" in done.err and "copied 1 object" in done.err, done
        folder.good("get", "b:/t", "got")
        assert (folder.path / "got").read_bytes() == b"two"
        folder.bad(2, "copy", "--wait", "--detach", "a:/two", "b:/u")


def a_transfer_is_shown_and_cancelled():
    with Labs("a", "b", "c") as labs, Work(labs) as folder:
        labs.start()
        folder.write("x", b"content")
        folder.good("put", "x", "a:/x")
        labs.b.stop()
        identity = folder.good("copy", "--detach", "--overwrite", "always", "a:/x", "b:/x").out.strip()
        short = identity.removeprefix("urn:uuid:")
        cancelled = json.loads(folder.good("transfers", "cancel", "--json", short).out)
        assert cancelled[0]["messageId"] == identity and cancelled[0]["state"] == "Cancelled", cancelled
        shown = folder.good("transfers", "show", identity, "--at", "a").out
        assert f"id           {identity}" in shown and f"destination  {labs.b.url}/services/data" in shown and "source       /x" in shown, shown
        assert "state        Cancelled" in shown, shown
        labs.b.start()
        assert labs.b.paths() == []
        assert folder.bad(1, "transfers", "cancel", identity).err.count("waybill: ") == 1
        done = folder.bad(1, "transfers", "show", "00000000-0000-4000-8000-000000000000")
        assert "NoSuchTransfer" in done.err, done
        labs.b.stop()
        folder.good("copy", "--detach", "--priority", "5", "--overwrite", "always", "a:/x", "b:/y")
        assert {row["priority"] for row in folder.transfers()} == {3, 5}
        assert "PRIO" in folder.good("transfers", "a").out
        folder.good("transfers", "cancel", folder.transfers()[0]["messageId"])
        labs.b.start()
        assert folder.good("transfers", "c").err == "waybill: there are no transfers\n"
        assert json.loads(folder.good("transfers", "--json", "c").out) == []
        assert [row["messageId"] for row in json.loads(folder.good("transfers", "--json").out)][-1] == identity


def a_refused_address_is_the_sources_doing():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start(introduce=False)
        folder.write("x", b"content")
        folder.good("put", "x", "a:/x")
        done = folder.bad(1, "copy", "a:/x", "b:/x")
        assert "source: " in done.err and "[AddressNotAllowed]" in done.err and f"trust {labs.b.url}" in done.err and "egress.allow" in done.err, done
        done = folder.bad(1, "copy", "--pull", "a:/x", "b:/x")
        assert "destination: " in done.err and f"trust {labs.a.url}" in done.err, done
        assert labs.b.paths() == [] and folder.transfers() == []
        labs.introduce("a", "b")
        folder.good("copy", "a:/x", "b:/x")


def who_is_unknown_at_the_destination_is_told_so():
    with Labs("a", "b", grants={"a": "read,write,list", "b": ""}) as labs, Work(labs) as folder:
        labs.start()
        folder.write("x", b"content")
        folder.good("put", "x", "a:/x")
        for overwrite in "never", "always":
            done = folder.bad(1, "copy", "--overwrite", overwrite, "a:/x", "b:/x")
            assert "destination: " in done.err and "UntrustedKey" in done.err, done
            assert "waybill --home HOME trust" in done.err, done
        assert folder.transfers()[0]["state"] == "Failed"


def the_destination_can_pull():
    with Labs("a", "b") as labs, Work(labs) as folder:
        labs.start(introduce=False)
        labs.introduce("b", "a")
        made = tree(folder)
        folder.good("put", "tree", "a:/tree")
        assert f"copied {len(made)} objects" in folder.good("copy", "--pull", "-r", "a:/tree", "b:/t").err
        assert {path: folder.content(f"b:/t/{path}") for path in made} == made
        assert f"{len(made)} objects there already" in folder.good("copy", "--pull", "-r", "a:/tree", "b:/t").err
        assert folder.transfers() == []


def an_instance_fetches_a_url():
    with Labs("a") as labs, Work(labs) as folder:
        data = os.urandom(200_000)
        folder.write("site/some file.bin", data)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder.path / "site.key", "-out",
            folder.path / "site.crt", "-days", "2", "-subj", "/CN=site", "-addext", "subjectAltName=IP:127.0.0.1")

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(folder.path / "site"))

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder.path / "site.crt", folder.path / "site.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"https://127.0.0.1:{server.server_port}/some%20file.bin"
            labs.a.settings(f'[egress]\nallow = ["127.0.0.1:{server.server_port}"]\nca_file = "{folder.path / "site.crt"}"\n')
            labs.start()
            row = json.loads(folder.good("put", "--json", "--metadata", "from=site", url, "a:/in/").out)[0]
            assert row["path"] == "/in/some file.bin" and row["size"] == len(data) and row["metadata"][0]["value"] == "site", row
            folder.good("put", url, "a:/named")
            assert folder.content("a:/named") == data
            done = folder.bad(1, "put", url.replace("some", "no"), "a:/missing")
            assert "404" in done.err and "UnresolvableData" in done.err, done
            done = folder.bad(1, "put", "https://127.0.0.1:1/x", "a:/refused")
            assert "AddressNotAllowed" in done.err, done
            assert labs.a.paths() == ["/in/some file.bin", "/named"]
        finally:
            server.shutdown()
            server.server_close()


def wrong_usage_is_told_before_anything_happens():
    with Labs("a") as labs, Work(labs) as folder:
        labs.start()
        folder.write("x", b"content")
        assert "waybill put" in folder.bad(2, "copy", "x", "a:/x").err
        assert "waybill put" in folder.bad(2, "copy", "a:/x", "./x").err
        assert "waybill copy" in folder.bad(2, "put", "a:/x", "a:/y").err
        assert "waybill copy" in folder.bad(2, "put", f"{labs.a.url}/x", "a:/y").err
        folder.bad(2, "copy", "a:/x")
        folder.bad(2, "copy", "--detach", "a:/x", "a:/y")
        assert "waits in no queue" in folder.bad(2, "copy", "--priority", "5", "a:/x", "a:/y").err
        assert "--priority" in folder.bad(2, "copy", "--priority", "0", "a:/x", "a:/y").err
        folder.bad(2, "transfers", "show")
        folder.bad(2, "transfers", "a", "b")
        folder.bad(2, "transfers", "--state", "odd")
        assert "waybill trust" in folder.bad(1, "copy", "a:/x", "nowhere:/x").err
        done = folder.bad(1, "copy", "a:/nothing", "a:/y")
        assert "source: " in done.err and "-r" in done.err, done
        assert "source: " in folder.bad(1, "copy", "-r", "a:/nothing", "a:/y").err
        assert labs.a.paths() == []


main(an_object_gets_the_name_that_is_asked_for, a_folder_keeps_its_tree, what_is_there_is_left_out_or_replaced_as_asked,
     who_may_not_list_there_is_told_by_the_delivery, within_one_instance, transfers_go_on_without_the_client, what_is_on_its_way_is_joined, what_another_run_sends_there_is_not_taken_for_this,
     a_transfer_is_shown_and_cancelled, a_refused_address_is_the_sources_doing, who_is_unknown_at_the_destination_is_told_so, the_destination_can_pull,
     an_instance_fetches_a_url, wrong_usage_is_told_before_anything_happens)
