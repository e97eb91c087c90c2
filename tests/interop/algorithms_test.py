#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Algorithms: every way in and out, what is refused, jobs and chains between real instances. Messages written by hand."""
import contextlib
import json
import os
import pathlib
import socket
import threading
import time

from lib import SOAP12, element, envelope, expect_fault, main
from algorithms import Made, begin_job, given, invoke, job, job_ended, no_job_files, publish, run, send, url
from lab import BIN, Lab, Labs, make_home, wait_until
from lab import run as command
from peers import endpoint, holds, new_id, onward, reply_to, services, store, stored, succeeded, token_element, transfer

TEXT = b"one\ntwo\nthree\n" * 1000
GRANTS = "read,write,list,delete,invoke"


def single(settings="", grants=GRANTS):
    lab = Lab(settings, grants)
    publish(lab)
    return lab


def labs_with_algorithms(*names, settings="[transfers]\nlongest_pause = 1\n"):
    labs = Labs(*names, settings=settings, grants=GRANTS)
    for name in names:
        publish(labs[name])
    return labs


def cat(*fields, **options):
    return invoke("text/cat", given("text", *fields, **options))


def every_way_in():
    """Attachment by MTOM, SwA and inline; references here and elsewhere; a URL."""
    with labs_with_algorithms("a", "b") as labs:
        labs.start()
        secret, public = store(labs.a, "/in", TEXT), store(labs.a, "/open", TEXT, "--public")
        there, open_there = store(labs.b, "/in", TEXT), store(labs.b, "/open", TEXT, "--public")
        part = [("Content-Type: text/plain\r\nContent-ID: <one@x>", TEXT)]
        include = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:one@x"/>'
        for soap in ("http://schemas.xmlsoap.org/soap/envelope/", SOAP12):
            for body, parts in ((f'<wb:Invoke><wb:Algorithm>text/cat</wb:Algorithm><wb:Input name="text"><wb:Content>{include}</wb:Content></wb:Input></wb:Invoke>', part),
                                (cat(("Attachment", "cid:one@x")), part), (cat(("Href", "cid:one@x")), part),
                                (cat(("Content", "b25lCg==")), ()), (cat(("Id", secret)), ()), (cat(("Path", "/in")), ()), (cat(("Href", secret)), ()), (cat(("Href", public)), ()),
                                (cat(("Href", there), token=labs.b.token("Copy", "--resource", "/in")), ()), (cat(("Href", open_there)), ())):
                if "<wb:Token>" in body:
                    body = cat(("Href", there), token=labs.b.token("Copy", "--resource", "/in"))
                made = run(labs.a, body, parts=parts, soap=soap)
                assert made.bytes("text") == (b"one\n" if "b25l" in body else TEXT), body
        no_job_files(labs.a)


def several_of_one_input():
    with single() as lab:
        lab.start()
        first, second = store(lab, "/1", b"1\n"), store(lab, "/2", b"2\n")
        made = run(lab, invoke("text/cat", given("text", ("Id", second)), given("text", ("Content", "eAo=")), given("text", ("Id", first))))
        assert made.bytes("text") == b"2\nx\n1\n", made.bytes("text")


def fall_over():
    """An attachment that is not there, then the reference, then the URL; what resolves nowhere lists the three."""
    with labs_with_algorithms("a", "b") as labs:
        labs.start()
        here, there = store(labs.a, "/in", TEXT), store(labs.b, "/open", TEXT.upper(), "--public")
        assert run(labs.a, cat(("Id", here), ("Href", "cid:gone@x"))).bytes("text") == TEXT
        assert run(labs.a, cat(("Id", here), ("Attachment", "cid:gone@x"))).bytes("text") == TEXT
        assert run(labs.a, cat(("Href", there), ("Attachment", "cid:gone@x"))).bytes("text") == TEXT.upper()
        assert run(labs.a, cat(("Path", "/in"), ("Attachment", "cid:gone@x"))).bytes("text") == TEXT
        assert run(labs.a, cat(("Path", "/in"), ("Href", there))).bytes("text") == TEXT.upper(), "where there is a reference, it is what is meant"
        secret = store(labs.b, "/in", TEXT.lower())
        for nowhere in (("Href", "cid:gone@x"), ("Attachment", "cid:gone@x"), ("Href", url(labs.a) + "/data/" + "0" * 32), ("Href", "https://127.0.0.2/x")):
            made = run(labs.a, cat(("Id", secret), nowhere, token=labs.b.token("Copy", "--resource", "/in")))
            assert made.bytes("text") == TEXT.lower(), nowhere
        assert b"Path &apos;/gone&apos;: no data here" in send(labs.a, cat(("Path", "/gone")))[2]
        expect_fault(send(labs.a, cat(("Path", "gone"))), "UnresolvableData")
        assert run(labs.a, cat(("Id", url(labs.a) + "/data/" + "0" * 32), ("Href", there))).bytes("text") == TEXT.upper()
        reply = send(labs.a, cat(("Id", url(labs.a) + "/data/" + "0" * 32), ("Href", url(labs.b) + "/data/" + "1" * 32), ("Attachment", "cid:gone@x")))
        expect_fault(reply, "UnresolvableData")
        for tried in (b"Attachment &apos;cid:gone@x&apos;: no part", b"no data here that this caller may read", b"/data/11111111111111111111111111111111&apos;: not a reference to data of this instance"):
            assert tried in reply[2], f"no {tried} in {reply[2]}"
        assert reply[2].count(b"<wb:Tried>") == 5 and b"404" in reply[2], reply[2]  # the URL was fetched too
        expect_fault(send(labs.a, cat()), "UnresolvableData")
        nameless = send(labs.a, invoke("text/cat", given("text", ("Content", "eAo=")), given("text")))
        assert b"the input &apos;text&apos; (number 2 of the message)" in nameless[2], nameless[2]
        no_job_files(labs.a)


def what_a_caller_may():
    with single(grants="write,list") as lab:

        def administer(*what):
            command(BIN / "waybill", "--home", lab.home, *what)

        lab.start()
        mine = element(lab.call("Receive", "<wb:Receive><wb:Data><wb:Path>/in</wb:Path><wb:Content>eAo=</wb:Content></wb:Data></wb:Receive>")[2], "Id")
        expect_fault(send(lab, cat(("Content", "eAo="))), "NoSuchAlgorithm")
        assert b"<wb:Algorithm>" not in send(lab, "<wb:ListAlgorithms/>", operation="ListAlgorithms")[2]
        administer("grant", "alice", "invoke", "text")
        run(lab, cat(("Content", "eAo=")))
        expect_fault(send(lab, invoke("two")), "NoSuchAlgorithm")
        listed = send(lab, "<wb:ListAlgorithms/>", operation="ListAlgorithms")[2]
        assert listed.count(b"<wb:Algorithm>") == 2 and b"text/cat" in listed and b"text/grep" in listed, listed
        # Secure data is read under the caller's rights, which do not include that.
        expect_fault(send(lab, cat(("Id", mine))), "UnresolvableData")
        expect_fault(send(lab, cat(("Path", "/in"))), "UnresolvableData")
        administer("grant", "alice", "read", "/in")
        run(lab, cat(("Id", mine)))
        # A token that names algorithms is for these; one that names data narrows that.
        run(lab, cat(("Id", mine)), token=lab.token("Invoke", "--resource", "text/cat"))
        run(lab, cat(("Id", mine)), token=lab.token("Invoke", "--resource", "text", "--resource", "/in"))
        expect_fault(send(lab, cat(("Id", mine)), token=lab.token("Invoke", "--resource", "text/cat", "--resource", "/other")), "UnresolvableData")
        expect_fault(send(lab, cat(("Id", mine)), token=lab.token("Invoke", "--resource", "text/grep")), "NoSuchAlgorithm")
        reply = send(lab, cat(("Id", mine)), token=lab.token("Invoke", "--resource", "/text/cat"))
        expect_fault(reply, "NoSuchAlgorithm")
        assert b"without a slash before it" in reply[2], reply[2]
        expect_fault(send(lab, cat(("Id", mine)), token=lab.token("Copy")), "NotAllowed")
        no_job_files(lab)


def parameters_are_checked():
    with single() as lab:
        lab.start()
        text = given("text", ("Content", "T25lCm9uZQpPTkUKdHdvCg=="))
        assert run(lab, invoke("text/grep", text, word="one")).bytes("found") == b"one\n"
        assert run(lab, invoke("text/grep", text, word="one", ignore_case="true", most=2)).bytes("found") == b"One\none\n"
        assert run(lab, invoke("text/grep", text, word="one", ignore_case="0")).bytes("found") == b"one\n"
        for wrong in ({}, {"word": "x" * 41}, {"word": "one", "most": 0}, {"word": "one", "most": "1.5"}, {"word": "one", "ignore_case": "yes"},
                      {"word": "one", "colour": "red"}):
            expect_fault(send(lab, invoke("text/grep", text, **wrong)), "BadParameter")
        expect_fault(send(lab, invoke("two", what="none")), "BadParameter")
        expect_fault(send(lab, invoke("text/grep", word="one")), "BadParameter")  # no input
        expect_fault(send(lab, invoke("text/grep", text, text, word="one")), "BadParameter")  # two of them
        expect_fault(send(lab, invoke("text/grep", text, given("other", ("Content", "eAo=")), word="one")), "BadParameter")
        expect_fault(send(lab, invoke("text/grop", text, word="one")), "NoSuchAlgorithm")
        # Parameters are looked at before anything is fetched: nobody answers there, and it does not matter.
        expect_fault(send(lab, invoke("text/grep", given("text", ("Href", "https://127.0.0.1:9/x")), word="x" * 50)), "BadParameter")
        # Nothing is a shell's business.
        expect_fault(send(lab, invoke("text/grep", text, word="$(echo one)")), "AlgorithmFailed")  # grep finds no such line: exit status 1
        expect_fault(send(lab, cat(("ContentType", "image/png"), ("Content", "eAo="))), "BadParameter")
        run(lab, cat(("ContentType", "Text/CSV; charset=utf-8"), ("Content", "eAo=")))
        bad_digest = f'<wb:Invoke><wb:Algorithm>text/cat</wb:Algorithm><wb:Input name="text"><wb:Digest>{"0" * 64}</wb:Digest><wb:Content>eAo=</wb:Content></wb:Input></wb:Invoke>'
        expect_fault(send(lab, bad_digest), "DigestMismatch")
        expect_fault(send(lab, cat(("Size", "3"), ("Content", "eAo="))), "DigestMismatch")
        no_job_files(lab)


def every_way_out():
    with single() as lab:
        lab.start()
        for attach in ("MTOM", "SwA", None):
            made = run(lab, invoke("two", attach=attach))
            assert (made.bytes("one"), made.bytes("two")) == (b"first\n", b"second\n")
            assert ("Attachment" in made.outputs["one"]) == (attach == "SwA")
            assert element(made.xml, "Log") == "to the log\n" and element(made.xml, "ExitStatus") == "0"
        made = run(lab, invoke("two", attach="Inline", what="one"))
        assert list(made.outputs) == ["one"] and "Zmlyc3QK" in made.outputs["one"] and not made.parts, made.xml
        assert "<wb:ContentType>text/plain</wb:ContentType><wb:Size>6</wb:Size>" in made.outputs["one"], made.xml
        # Kept as data, with or without the bytes in the reply.
        made = run(lab, invoke("two", store="/results"))
        assert not made.parts and f"<wb:Id>{url(lab)}/data/" in made.outputs["one"], made.xml
        holds(lab, {"/results/one": b"first\n", "/results/two": b"second\n"})
        expect_fault(send(lab, invoke("two", store="/results")), "AlreadyExists")
        made = run(lab, invoke("two", store="/results", attach="MTOM", overwrite="Always"))
        assert made.bytes("two") == b"second\n" and "<wb:Id>" in made.outputs["two"], made.xml
        wish = '<wb:Output name="two"><wb:Path>/open/table.csv</wb:Path><wb:Secure>false</wb:Secure></wb:Output><wb:Output name="one"><wb:Secure>false</wb:Secure></wb:Output>'
        made = run(lab, invoke("two", store="/more", attach="Reference", outputs=wish))
        assert lab.get("/data/" + element(made.outputs["two"].encode(), "Href").rsplit("/", 1)[1])[2] == b"second\n"
        holds(lab, {"/results/one": b"first\n", "/results/two": b"second\n", "/more/one": b"first\n", "/open/table.csv": b"second\n"})
        expect_fault(send(lab, invoke("two", attach="Reference")), "BadParameter")
        expect_fault(send(lab, invoke("two", store="/x", attach="Reference")), "BadParameter")
        expect_fault(send(lab, invoke("two", store="/../x")), "BadParameter")
        expect_fault(send(lab, invoke("two", outputs='<wb:Output name="three"/>')), "BadParameter")
        for more in ({}, {"store": "/past"}):
            reply = send(lab, invoke("two", outputs='<wb:Output name="one"><wb:Expires>2001-01-01T00:00:00Z</wb:Expires></wb:Output>', **more))
            expect_fault(reply, "BadParameter")
            assert b"2001-01-01T00:00:00" in reply[2] and b"has passed" in reply[2], reply[2]
        expect_fault(send(lab, invoke("two", outputs='<wb:Output name="one"><wb:Content>eAo=</wb:Content></wb:Output>')), "BadParameter")
        no_job_files(lab)


def a_stored_result_has_a_receipt():
    with single() as lab:
        lab.start()
        message_id, token = new_id(), lab.token("Invoke")
        body = invoke("shell", script="date +%s%N > /out/out", store="/r")
        first = send(lab, body, message_id=message_id, token=token)
        again = send(lab, body, message_id=message_id, token=token)
        assert first[0] == again[0] == 200 and Made(first).outputs == Made(again).outputs, again
        expect_fault(send(lab, body, token=token), "TokenReplayed")


def programs_that_fail():
    with single() as lab:
        lab.start()

        def fails(algorithm, script, *words):
            reply = send(lab, invoke(algorithm, script=script))
            expect_fault(reply, "AlgorithmFailed")
            for word in words:
                assert word.encode() in reply[2], f"no '{word}' in {reply[2]!r}"
            return reply

        fails("shell", "echo what went wrong >&2; exit 3", "exit status 3", "what went wrong")
        fails("shell", "kill -9 $$", "137 (SIGKILL: of its own doing, or the machine had no memory left)")
        fails("shell", "kill -SEGV $$", "139 (SIGSEGV)")
        fails("shell", "exit 152", "exit status 152")  # which is no limit, though the kernel's would look like that
        fails("shell", "echo nothing to do", "ended well, but has not made its output &apos;out&apos;, the file /out/out", "nothing to do")
        fails("shell", "ln -s /etc/passwd /out/out", "symbolic link")
        # Each limit: which, how much was used, how much is allowed; also where the kernel stops the program, and it ends by itself.
        killed = "was killed at a limit: "
        fails("quick", "sleep 30", killed + "wall time of 6.", "(allowed: 6.0 s)")
        fails("quick", "while :; do :; done", killed + "CPU time of ", "(allowed: 1.0 s)")
        fails("quick", "echo begun; head -c 5000000 /dev/zero > /out/out", killed + "output of ", "(allowed: 1.0 MiB)", "begun\n")
        fails("quick", "sleep 0.2; head -c 90000000 /dev/zero > /tmp/x", killed + "memory of ", "(allowed: 64.0 MiB)")
        fails("shell", "head -c 400000000 /dev/zero | tail", killed + "memory of ", "(allowed: 256.0 MiB)")
        fails("quick", "for n in $(seq 20); do sleep 5 & done; wait", killed, "processes and threads at the same time (allowed: 8)")
        fails("quick", "python3 -c 'import socket, time; keep = [socket.socketpair() for n in range(120)]; time.sleep(3)' & "
              "python3 -c 'import socket, time; keep = [socket.socketpair() for n in range(120)]; time.sleep(3)' & wait", killed, "sockets at the same time (allowed: 256)")
        fails("shell", "cat " + str(lab.home / "instance.key"), "No such file")
        fails("shell", "ls " + str(lab.home), "No such file")
        made = run(lab, invoke("shell", script="yes a line | head -c 3000000 >&2; echo the end >&2; echo x > /out/out"))
        assert element(made.xml, "Log").endswith("the end\n") and len(made.xml) < 40_000
        no_job_files(lab)


def results_go_elsewhere():
    """Run at A on data that is at B, keep the result at C, tell me (at D): one call."""
    with labs_with_algorithms("a", "b", "c", "d") as labs:
        labs.start()
        source = store(labs.b, "/in", TEXT)
        body = invoke("text/cat", given("text", ("Href", source), token=labs.b.token("Copy", "--resource", "/in")),
                      outputs='<wb:Output name="text"><wb:Path>/results/text</wb:Path></wb:Output>')
        message_id = begin_job(labs.a, body, reply_to(labs.c, "--resource", "/results", parameters=onward(labs.d)))
        found = job_ended(labs.a, message_id, "Succeeded")
        assert found.phase == "Delivery" and found.status == "0" and found.receipt == ["/results/text"], found.xml
        holds(labs.c, {"/results/text": TEXT})
        wait_until(lambda: message_id.encode() in labs.d.call("ListTransfers", "<wb:ListTransfers/>")[2], "the receipt at D")
        assert succeeded(labs.d, message_id).receipt == ["/results/text"]
        assert message_id.encode() not in labs.a.call("ListTransfers", "<wb:ListTransfers/>")[2]  # jobs are listed apart
        assert message_id.encode() in send(labs.a, "<wb:ListJobs/>", operation="ListJobs")[2]
        no_job_files(labs.a)


def jobs_in_every_way():
    with labs_with_algorithms("a", "b", "c") as labs:
        labs.start()
        part = [("Content-Type: text/plain\r\nContent-ID: <one@x>", TEXT)]
        wanted = {}
        for attach in ("MTOM", "SwA", "Inline"):
            wish = f'<wb:Output name="text"><wb:Path>/{attach}</wb:Path><wb:Metadata><wb:Name>n</wb:Name><wb:Value>v</wb:Value></wb:Metadata></wb:Output>'
            body = invoke("text/cat", given("text", ("Attachment", "cid:one@x")), attach=attach, outputs=wish)
            job_ended(labs.a, begin_job(labs.a, body, reply_to(labs.b), parts=part), "Succeeded")
            wanted[f"/{attach}"] = TEXT
        store(labs.a, "/in", TEXT)
        by_path = invoke("text/cat", given("text", ("Path", "/in")), outputs='<wb:Output name="text"><wb:Path>/by-path</wb:Path></wb:Output>')
        job_ended(labs.a, begin_job(labs.a, by_path, reply_to(labs.b)), "Succeeded")
        wanted["/by-path"] = TEXT
        holds(labs.b, wanted)
        # Kept at A itself: who gets the response takes note, A too. Of a program that has made nothing as well; who is told of the receipt, or was to get the data, is told that.
        for number, receiver in enumerate((labs.b, labs.a)):
            found = job_ended(labs.a, begin_job(labs.a, invoke("two", store=f"/kept{number}"), reply_to(receiver)), "Succeeded")
            assert found.phase == "Delivery" and found.receipt == [], found
        holds(labs.a, {"/in": TEXT} | {f"/kept{number}/{name}": content for number in (0, 1) for name, content in (("one", b"first\n"), ("two", b"second\n"))})
        for sends in (None, "Data"):
            message_id = begin_job(labs.a, invoke("quick", script="true"), reply_to(labs.b, parameters=onward(labs.c, send=sends)))
            found = job_ended(labs.a, message_id, "Succeeded")
            assert found.receipt == [] and found.status == "0", found
            wait_until(lambda: message_id.encode() in labs.c.call("ListTransfers", "<wb:ListTransfers/>")[2], "the receipt at C")
            assert succeeded(labs.c, message_id).receipt == [] and labs.c.paths() == []
        # With bytes besides, they are stored.
        job_ended(labs.a, begin_job(labs.a, invoke("two", store="/both", attach="MTOM"), reply_to(labs.b)), "Succeeded")
        wanted.update({"/both/one": b"first\n", "/both/two": b"second\n"})
        holds(labs.b, wanted)
        no_job_files(labs.a)


def jobs_that_fail():
    with labs_with_algorithms("a", "b") as labs:
        labs.start()
        message_id = begin_job(labs.a, invoke("shell", script="echo no good; exit 4"), reply_to(labs.b))
        found = job_ended(labs.a, message_id, "Failed", "exit status 4")
        assert found.phase == "Run" and found.status == "4" and found.log == "no good\n", found
        # It is told where the response would have gone.
        wait_until(lambda: b"exit status 4" in labs.b.call("ListTransfers", "<wb:ListTransfers/>")[2], "the fault at B")
        for body, word in ((invoke("text/cat", given("text", ("Href", url(labs.b) + "/data/" + "2" * 32))), "no bytes"),
                           (invoke("shell", script="true"), "has not made")):
            job_ended(labs.a, begin_job(labs.a, body, reply_to(labs.b)), "Failed", word)
        # What can be known at once is refused at once: a job that has failed. The fault goes where the reply would.
        for body, algorithm, word in ((invoke("nothing"), "nothing", "no algorithm of this id"), (invoke("shell"), "shell", "script")):
            refused = begin_job(labs.a, body, reply_to(labs.b))
            found = job(labs.a, refused)
            assert found.state == "Failed" and found.phase == "Run" and found.attempts == 0 and found.priority is None and word in found.error, found
            assert element(found.xml, "Algorithm") == algorithm and element(found.xml, "Destination") == services(labs.b), found.xml
            assert transfer(labs.a, refused).state == "Failed"
            listed = send(labs.a, "<wb:ListJobs><wb:State>Failed</wb:State></wb:ListJobs>", operation="ListJobs")[2]
            assert refused.encode() in listed and refused.encode() not in labs.a.call("ListTransfers", "<wb:ListTransfers/>")[2], listed
            expect_fault(send(labs.a, f"<wb:CancelJob><wb:Job>{refused}</wb:Job></wb:CancelJob>", operation="CancelJob"), "BadParameter")
        expect_fault(send(labs.a, invoke("two"), endpoint("wsa:ReplyTo", "https://127.0.0.1:9/x"), message_id=new_id()), "AddressNotAllowed")
        expect_fault(send(labs.a, invoke("two"), onward(labs.b), message_id=new_id()), "BadParameter")
        no_job_files(labs.a)


def jobs_are_cancelled():
    with labs_with_algorithms("a", "b", settings="[algorithms]\nactive = 1\n[transfers]\nlongest_pause = 1\n") as labs:
        labs.start()
        running = begin_job(labs.a, invoke("shell", script="echo begun; sleep 15; echo x > /out/out"), reply_to(labs.b))
        waiting = begin_job(labs.a, invoke("two"), reply_to(labs.b))
        wait_until(lambda: job(labs.a, running).log == "begun\n", "the log of a running job")
        assert job(labs.a, running).state == "Active" and job(labs.a, waiting).state == "Queued"
        began = time.monotonic()
        assert job(labs.a, waiting, "CancelJob").state == "Cancelled"
        assert job(labs.a, running, "CancelJob").state == "Cancelled"
        wait_until(lambda: not list((labs.a.home / "jobs").iterdir()), "the files of cancelled jobs are gone")
        assert time.monotonic() - began < 10
        expect_fault(send(labs.a, f"<wb:CancelJob><wb:Job>{running}</wb:Job></wb:CancelJob>", operation="CancelJob"), "BadParameter")
        expect_fault(send(labs.a, "<wb:GetJob><wb:Job>urn:x</wb:Job></wb:GetJob>", operation="GetJob"), "NoSuchTransfer")
        job_ended(labs.a, begin_job(labs.a, invoke("two"), reply_to(labs.b)), "Succeeded")  # the place is free again


def as_many_jobs_as_allowed():
    with labs_with_algorithms("a", "b", settings="[algorithms]\nactive = 6\nper_principal = 6\n[transfers]\nlongest_pause = 1\n") as labs:
        labs.start()
        jobs = [begin_job(labs.a, invoke("shell", script="sleep 15; echo x > /out/out"), reply_to(labs.b)) for _ in range(7)]
        wait_until(lambda: [job(labs.a, name).state for name in jobs].count("Active") == 6, "six of seven run at the same time", 14)
        for name in reversed(jobs):
            job(labs.a, name, "CancelJob")
        no_job_files(labs.a)


def jobs_cancelled_while_they_are_picked():
    """A cancel may come between the moments in which a job is found due and is taken: the queue goes on all the same."""
    with labs_with_algorithms("a", "b") as labs:
        labs.start()
        for _ in range(3):
            names = []

            def begin_and_cancel():
                name = begin_job(labs.a, invoke("shell", script="sleep 1; echo x > /out/out"), reply_to(labs.b))
                names.append(name)
                send(labs.a, f"<wb:CancelJob><wb:Job>{name}</wb:Job></wb:CancelJob>", operation="CancelJob")

            threads = [threading.Thread(target=begin_and_cancel) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for name in names:
                job_ended(labs.a, name, "Cancelled")
        job_ended(labs.a, begin_job(labs.a, invoke("two"), reply_to(labs.b)), "Succeeded")
        no_job_files(labs.a)


ONE_PLACE = "[algorithms]\nactive = 1\nper_principal = 1\nwaiting = 20\n[transfers]\nlongest_pause = 1\n"


def when(name, priority=None):
    """An Invoke whose result, /when/<name>, is the time at which its program ran."""
    return invoke("shell", script="date +%s%N > /out/out; sleep 0.2", priority=priority, outputs=f'<wb:Output name="out"><wb:Path>/when/{name}</wb:Path></wb:Output>')


def jobs_go_by_priority():
    """One place: of the jobs that one caller has waiting the higher Priority goes first; another's wait no longer for it."""
    with labs_with_algorithms("a", "b", settings=ONE_PLACE) as labs:
        labs.start()
        bob = labs.a.folder / "bob"
        make_home(bob, "bob")
        labs.a.admit(bob, "bob", GRANTS)
        slow = begin_job(labs.a, invoke("shell", script="sleep 6; echo x > /out/out"), reply_to(labs.b))
        wait_until(lambda: job(labs.a, slow).state == "Active", "the slow job runs")
        names = {"low": begin_job(labs.a, when("low", 1), reply_to(labs.b)),
                 "usual": begin_job(labs.a, when("usual"), reply_to(labs.b)),
                 "high": begin_job(labs.a, when("high", 5), reply_to(labs.b)),
                 "bob": begin_job(labs.a, when("bob"), reply_to(labs.b), token=labs.a.token("Invoke", home=bob))}
        assert job(labs.a, slow).state == "Active", "all were queued in time"
        assert {name: job(labs.a, names[name]).priority for name in ("low", "usual", "high")} == {"low": 1, "usual": 3, "high": 5}
        listed = send(labs.a, "<wb:ListJobs/>", operation="ListJobs")[2]
        assert listed.count(b"<wb:Priority>5</wb:Priority>") == 1 and listed.count(b"<wb:Priority>3</wb:Priority>") == 2, listed
        wait_until(lambda: len(labs.b.paths("/when")) == 4, "all have run")
        times = {name: int(stored(labs.b, f"/when/{name}")) for name in names}
        # What alice has asked for with 5 goes before all else of hers, and nothing of hers before bob's, who comes late and has had nothing.
        assert sorted(times, key=times.get) == ["bob", "high", "usual", "low"], times
        for wrong in (0, 6, -1, "high"):
            reply = send(labs.a, invoke("two", priority=wrong))
            expect_fault(reply, "InvalidMessage")
            assert b"Priority" in reply[2], reply[2]
        no_job_files(labs.a)


def callers_wait_by_priority():
    """The same for who waits for the reply, together with what is queued."""
    with labs_with_algorithms("a", "b", settings=ONE_PLACE) as labs:
        labs.start()
        slow = begin_job(labs.a, invoke("shell", script="sleep 5; echo x > /out/out"), reply_to(labs.b))
        wait_until(lambda: job(labs.a, slow).state == "Active", "the slow job runs")
        times = {}

        def caller(priority):
            times[priority] = int(run(labs.a, when("none", priority)).bytes("out"))

        # Queued while the only place is taken, so that nothing of the queue is looked at because something has ended.
        for priority in (5, 3):
            begin_job(labs.a, when(f"queued-{priority}", priority), reply_to(labs.b))
        callers = [threading.Thread(target=caller, args=(priority,)) for priority in (1, 2, 4)]
        for thread in callers:
            thread.start()
        wait_until(lambda: len(list((labs.a.home / "jobs").iterdir())) == 6, "all wait")
        assert job(labs.a, slow).state == "Active", "all wait in time"
        for thread in callers:
            thread.join()
        wait_until(lambda: len(labs.b.paths("/when")) == 2, "the queued ones have run")
        times.update({priority: int(stored(labs.b, f"/when/queued-{priority}")) for priority in (5, 3)})
        assert sorted(times, key=times.get) == [5, 4, 3, 2, 1], times
        no_job_files(labs.a)


def subjects_of_one_key_share():
    """Whoever has a key makes up subjects: its turns and its places in the queue are those of the key."""
    with labs_with_algorithms("a", "b", settings="[algorithms]\nper_principal = 1\nqueued_per_principal = 1\n[transfers]\nlongest_pause = 1\n") as labs:
        labs.start()

        def token(subject):
            return labs.a.token("Invoke", "--subject", subject)

        word = f"slow one of {os.getpid()}"
        begin_job(labs.a, invoke("shell", script=f"sleep 4; echo {word} > /out/out"), reply_to(labs.b), token=token("s0"))
        wait_until(lambda: processes_with(word), "the slow job runs")
        begin_job(labs.a, when("queued"), reply_to(labs.b), token=token("s1"))
        refused = begin_job(labs.a, when("refused"), reply_to(labs.b), token=token("s2"))
        found = job(labs.a, refused, token=labs.a.token("GetJob", "--subject", "s2"))
        assert found.state == "Failed" and "queued_per_principal" in found.error, found
        run(labs.a, invoke("two"), token=token("s3"))
        assert not processes_with(word), "a call of another subject ran beside the only program that its key may have"
        wait_until(lambda: "/when/queued" in labs.b.paths(), "the queued one has run")
        assert "/when/refused" not in labs.b.paths()


def processes_with(word):
    """Process ids of those that have the word on their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and word.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def sent(lab, body, *headers, token=None, message_id=None):
    """Sends an Invoke whose reply nobody reads yet; returns the connection."""
    addressing = "".join((f"<wsa:Action>urn:waybill:1/Invoke</wsa:Action><wsa:MessageID>{message_id or new_id()}</wsa:MessageID>", *headers)) if headers or message_id else ""
    connection = lab.connection()
    connection.request("POST", "/services/algorithms", envelope(body, token or lab.token("Invoke"), addressing), {"Content-Type": "text/xml; charset=utf-8"})
    return connection


def audited(lab, outcome):
    return [line for line in (lab.home / "audit.log").read_text().splitlines() if json.loads(line)["outcome"] == outcome]


def a_caller_who_hangs_up_stops_the_program():
    with single("[algorithms]\nactive = 1\n") as lab:
        lab.start()
        for store, message_id in (("/r", new_id()), (None, None)):
            word = f"18.{os.getpid()}" + ("1" if store else "2")
            body, token = invoke("shell", script=f"echo x > /out/out; (sleep {word} & sleep {word})", store=store), lab.token("Invoke")
            before = len(audited(lab, "DeliveryFailed"))
            connection = sent(lab, body, token=token, message_id=message_id)
            wait_until(lambda: len(processes_with(word)) >= 3, "the program runs", 15)
            connection.close()
            began = time.monotonic()
            wait_until(lambda: not processes_with(word), "the program is gone", 5)
            wait_until(lambda: len(audited(lab, "DeliveryFailed")) == before + 1, "the audit log tells", 5)
            assert time.monotonic() - began < 5
            assert "closed its connection" in audited(lab, "DeliveryFailed")[-1]
            no_job_files(lab)
            assert lab.paths() == []
            # The place is free, and the token good for another try, the same or another.
            made = run(lab, invoke("shell", script="echo again > /out/out"), token=token, message_id=message_id)
            assert made.bytes("out") == b"again\n"
        assert "closed its connection" in (lab.folder / "waybilld.log").read_text()


def a_caller_who_hangs_up_waits_no_longer():
    with single("[algorithms]\nactive = 1\n") as lab:
        lab.start()
        word = f"first of {os.getpid()}"
        running = sent(lab, invoke("shell", script=f"sleep 8; echo {word} > /out/out"))
        wait_until(lambda: processes_with(word), "the program runs")
        token, body = lab.token("Invoke"), invoke("shell", script="echo waited > /out/out")
        waiting = sent(lab, body, token=token)
        wait_until(lambda: len(list((lab.home / "jobs").iterdir())) == 2, "the other one waits")
        time.sleep(0.3)
        waiting.close()
        wait_until(lambda: len(audited(lab, "DeliveryFailed")) == 1, "it waits no longer", 5)
        assert processes_with(word), "while the first one runs"
        assert running.getresponse().status == 200
        assert run(lab, body, token=token).bytes("out") == b"waited\n"
        no_job_files(lab)


def who_wants_no_reply_may_leave():
    with single() as lab:
        lab.start()
        nowhere = endpoint("wsa:ReplyTo", "http://www.w3.org/2005/08/addressing/none")
        word = f"kept by {os.getpid()}"
        connection = sent(lab, invoke("shell", script=f"sleep 2; echo {word} > /out/out", store="/kept"), nowhere)
        wait_until(lambda: processes_with(word), "the program runs")
        connection.close()
        wait_until(lambda: lab.paths() == ["/kept/out"], "its result", 15)


def turns_are_shared():
    """One place: who waits too long is told so; a queued job and a caller both get their turn."""
    with labs_with_algorithms("a", "b", settings="[algorithms]\nactive = 1\nper_principal = 1\nwaiting = 2\npatience = 1\n[transfers]\nlongest_pause = 1\n") as labs:
        labs.start()
        slow = begin_job(labs.a, invoke("shell", script="sleep 3; echo x > /out/out"), reply_to(labs.b))
        wait_until(lambda: job(labs.a, slow).state == "Active", "the slow job runs")
        replies = []
        callers = [threading.Thread(target=lambda: replies.append(send(labs.a, invoke("two")))) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert len(replies) == 4
        for reply in replies:
            expect_fault(reply, "Busy")
        job_ended(labs.a, slow, "Succeeded")
        run(labs.a, invoke("two"))


def who_finds_no_place_has_lost_nothing():
    """No place: told at once, before inputs are taken; the same message, with the same tokens, is good later."""
    with labs_with_algorithms("a", "b", settings="[algorithms]\nwaiting = 1\n[transfers]\nlongest_pause = 1\n") as labs:
        labs.start()
        source = store(labs.b, "/in", TEXT)
        body, token = cat(("Href", source), token=labs.b.token("Copy", "--resource", "/in")), labs.a.token("Invoke")
        word = f"first of {os.getpid()}"
        running = sent(labs.a, invoke("shell", script=f"sleep 4; echo {word} > /out/out"))
        wait_until(lambda: processes_with(word), "the program runs")
        reply = send(labs.a, body, token=token)
        expect_fault(reply, "Busy")
        assert b"nothing was read or fetched" in reply[2], reply[2]
        assert running.getresponse().status == 200
        wait_until(lambda: not list((labs.a.home / "jobs").iterdir()), "it has ended")
        assert run(labs.a, body, token=token).bytes("text") == TEXT


def slow_inputs_of_one_hold_up_no_other():
    """As many calls as one may have, whose inputs never come: another's inputs are fetched all the same."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent, labs_with_algorithms(
            "a", "b", settings='[algorithms]\nwaiting = 30\n[egress]\nallow = ["127.0.0.1"]\nschemes = ["http", "https"]\n') as labs, contextlib.ExitStack() as calls:
        labs.start()
        bob = labs.a.folder / "bob"
        make_home(bob, "bob")
        labs.a.admit(bob, "bob", GRANTS)
        slow = cat(("Href", f"http://127.0.0.1:{silent.getsockname()[1]}/never"))
        for _ in range(9):
            calls.enter_context(contextlib.closing(sent(labs.a, slow, token=labs.a.token("Invoke", home=bob))))
        wait_until(lambda: len(audited(labs.a, "Busy")) == 5, "four of nine are fetched, half of all that may be")
        source = store(labs.b, "/in", TEXT)
        assert run(labs.a, cat(("Href", source), token=labs.b.token("Copy", "--resource", "/in"))).bytes("text") == TEXT
        assert b"half of that for one principal" in send(labs.a, slow, token=labs.a.token("Invoke", home=bob))[2]


def files_are_looked_at_again():
    with single() as lab:
        lab.start()
        file = lab.home / "algorithms/later.toml"
        file.write_text('version = "1"\ntitle = "Later"\ncommand = ["true"]\n')
        wait_until(lambda: send(lab, invoke("later"))[0] == 200, "a new algorithm")
        file.write_text('version = "1"\ntitle = "Later"\ncommand = ["true"]\nnonsense = 1\n')
        wait_until(lambda: send(lab, invoke("later"))[0] == 500, "a broken one is left out")
        log = (lab.folder / "waybilld.log").read_text()
        assert "later.toml:4" in log and "nonsense" in log, log[-2000:]
        run(lab, invoke("two"))


def programs_come_and_go():
    with single() as lab:
        program = lab.home / "algorithms/programs/own"
        (lab.home / "algorithms/own.toml").write_text('version = "1"\ntitle = "Own"\ncommand = [\n  "/programs/own"]\n')
        lab.start()

        def log():
            return (lab.folder / "waybilld.log").read_text()

        expect_fault(send(lab, invoke("own")), "NoSuchAlgorithm")
        assert "own.toml:3: 'command' begins with '/programs/own', which cannot be run: there is no /programs/own on this machine" in log(), log()[-2000:]
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        wait_until(lambda: send(lab, invoke("own"))[0] == 500 and "/programs/own may not be executed" in log(), "what is not executable is told")
        program.chmod(0o755)
        wait_until(lambda: send(lab, invoke("own"))[0] == 200, "it is back")
        time.sleep(1.1)  # the next call looks at the folder
        run(lab, invoke("own"))
        program.unlink()
        reply = send(lab, invoke("own"))
        expect_fault(reply, "AlgorithmFailed")
        assert b"there is no /programs/own on this machine; ask the instance&apos;s operator" in reply[2] and str(lab.home).encode() not in reply[2], reply[2]
        wait_until(lambda: b"NoSuchAlgorithm" in send(lab, invoke("own"))[2], "it is left out again")
        no_job_files(lab)


def described_as_declared():
    with single() as lab:
        lab.start()
        described = send(lab, "<wb:DescribeAlgorithm><wb:Algorithm>text/grep</wb:Algorithm></wb:DescribeAlgorithm>", operation="DescribeAlgorithm")[2].decode()
        for piece in ("<wb:Id>text/grep</wb:Id><wb:Version>2.1</wb:Version><wb:Title>Lines with a word</wb:Title><wb:Help>Keeps the lines that have the word.</wb:Help>",
                      "<wb:Name>word</wb:Name>", "<wb:Type>string</wb:Type><wb:Required>true</wb:Required>", "<wb:MaxLength>40</wb:MaxLength>",
                      "<wb:Type>boolean</wb:Type><wb:Required>false</wb:Required><wb:Default>false</wb:Default>", "<wb:Minimum>1</wb:Minimum><wb:Maximum>1000</wb:Maximum>",
                      "<wb:CpuSeconds>60</wb:CpuSeconds>"):
            assert piece in described, f"no {piece} in {described}"
        expect_fault(send(lab, "<wb:DescribeAlgorithm><wb:Algorithm>../x</wb:Algorithm></wb:DescribeAlgorithm>", operation="DescribeAlgorithm"), "NoSuchAlgorithm")


def a_stop_does_not_wait_for_programs():
    with single(settings="[server]\ndrain_deadline = 1\n") as lab:
        lab.start()
        replies = []
        caller = threading.Thread(target=lambda: replies.append(attempt(lambda: send(lab, invoke("shell", script="sleep 15; echo x > /out/out")))))
        caller.start()
        wait_until(lambda: list((lab.home / "jobs").iterdir()), "the program runs")
        time.sleep(0.5)
        began = time.monotonic()
        lab.stop(expect=None)
        assert time.monotonic() - began < 8, "the stop waited for the program"
        caller.join()
        assert not list((lab.home / "jobs").iterdir())


def attempt(work):
    try:
        return work()
    except OSError as error:
        return error


def nothing_runs_without_a_sandbox():
    with single() as lab:
        lab.start(prefix=("unshare", "--mount", "sh", "-c", 'mount --bind /usr/bin/false /usr/bin/bwrap && exec "$@"', "sh"))
        reply = send(lab, invoke("two"))
        expect_fault(reply, "Internal")
        assert b"cannot run algorithms" in reply[2], reply[2]
        no_job_files(lab)


if __name__ == "__main__":
    main(every_way_in, several_of_one_input, fall_over, what_a_caller_may, parameters_are_checked, every_way_out, a_stored_result_has_a_receipt, programs_that_fail,
         results_go_elsewhere, jobs_in_every_way, jobs_that_fail, jobs_are_cancelled, as_many_jobs_as_allowed,
         jobs_cancelled_while_they_are_picked, turns_are_shared, who_finds_no_place_has_lost_nothing, slow_inputs_of_one_hold_up_no_other, jobs_go_by_priority, callers_wait_by_priority, subjects_of_one_key_share,
         a_caller_who_hangs_up_stops_the_program, a_caller_who_hangs_up_waits_no_longer, who_wants_no_reply_may_leave, files_are_looked_at_again, programs_come_and_go, described_as_declared,
         a_stop_does_not_wait_for_programs, nothing_runs_without_a_sandbox)
