#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs whose instance, or receiver, is killed: a program is run again only when it had not ended, and its result arrives once and whole."""
import os
import pathlib
import random
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from algorithms import begin_job, given, invoke, job, job_ended, no_job_files, publish, run  # noqa: E402
from lab import Labs, main, make_home, wait_until  # noqa: E402
from peers import holds, reply_to, store, stored  # noqa: E402

SETTINGS = "[transfers]\nlongest_pause = 1\n"
KILLS = int(os.environ.get("WAYBILL_JOB_KILLS", "15"))
# Its result says when it was made: two runs never make the same.
STAMP = "date +%s%N > /out/out; head -c 300000 /dev/urandom >> /out/out"


def labs_with_algorithms():
    labs = Labs("a", "b", settings=SETTINGS, grants="read,write,list,delete,invoke")
    publish(labs.a)
    return labs


def shell(script, path="/out"):
    return invoke("shell", script=script, outputs=f'<wb:Output name="out"><wb:Path>{path}</wb:Path></wb:Output>')


def processes(marker):
    return subprocess.run(["pgrep", "-f", marker], stdout=subprocess.PIPE).stdout.split()


def killed_while_it_runs():
    with labs_with_algorithms() as labs:
        labs.start()
        text = [("Content-Type: text/plain\r\nContent-ID: <one@x>", b"attached\n")]
        body = invoke("shell", given("data", ("Attachment", "cid:one@x")), script="echo begun; sleep 3.1415; cat /in/data > /out/out",
                      outputs='<wb:Output name="out"><wb:Path>/out</wb:Path></wb:Output>')
        name = begin_job(labs.a, body, reply_to(labs.b), parts=text)
        wait_until(lambda: job(labs.a, name).log == "begun\n", "the program runs")
        labs.a.kill()
        wait_until(lambda: not processes("^sleep 3.1415"), "the program has ended with its instance", 5)
        labs.a.start()
        found = job_ended(labs.a, name, "Succeeded")
        assert found.phase == "Delivery" and found.status == "0", found
        holds(labs.b, {"/out": b"attached\n"})
        no_job_files(labs.a)


def a_run_that_has_ended_is_not_repeated():
    with labs_with_algorithms() as labs:
        labs.start()
        where = reply_to(labs.b)
        labs.b.stop()
        name = begin_job(labs.a, shell(STAMP.replace("/out/out;", "/out/out; cat /out/out;")), where)
        wait_until(lambda: job(labs.a, name).phase == "Delivery", "the run has ended")
        made = job(labs.a, name).log
        for _ in range(3):
            labs.a.kill()
            labs.a.start()
            time.sleep(0.3)
        labs.b.start()
        found = job_ended(labs.a, name, "Succeeded")
        assert found.log == made and stored(labs.b, "/out").startswith(made.encode()), (found, made)
        no_job_files(labs.a)


def fetched_inputs_are_not_fetched_again():
    """The token for an input at another instance is good once: a run that begins anew has what was fetched."""
    with labs_with_algorithms() as labs:
        labs.start()
        source = store(labs.b, "/in", b"from b\n")
        body = invoke("shell", given("data", ("Href", source), token=labs.b.token("Copy", "--resource", "/in")), script="echo begun; sleep 2.7182; cat /in/data > /out/out",
                      outputs='<wb:Output name="out"><wb:Path>/out</wb:Path></wb:Output>')
        for end in (labs.a.kill, labs.a.stop):
            name = begin_job(labs.a, body, reply_to(labs.b))
            wait_until(lambda: job(labs.a, name).log == "begun\n", "the program runs")
            end()
            labs.a.start()
            job_ended(labs.a, name, "Succeeded")
            holds(labs.b, {"/in": b"from b\n", "/out": b"from b\n"})
            labs.waybill("rm", "b:/out")
            body = invoke("shell", given("data", ("Href", source), token=labs.b.token("Copy", "--resource", "/in")), script="echo begun; sleep 2.7182; cat /in/data > /out/out",
                          outputs='<wb:Output name="out"><wb:Path>/out</wb:Path></wb:Output>')


def an_input_that_is_away_for_a_moment():
    with labs_with_algorithms() as labs:
        labs.start()
        source = store(labs.b, "/in", b"from b\n", "--public")
        where = reply_to(labs.b)
        labs.b.stop()
        name = begin_job(labs.a, invoke("shell", given("data", ("Href", source)), script="cat /in/data > /out/out", outputs='<wb:Output name="out"><wb:Path>/out</wb:Path></wb:Output>'), where)
        wait_until(lambda: job(labs.a, name).attempts >= 2, "it is tried again")
        assert "tried Href" in job(labs.a, name).error, job(labs.a, name)
        labs.b.start()
        job_ended(labs.a, name, "Succeeded")


def a_slow_input_holds_up_nothing():
    """An input that never comes: others run meanwhile, its job is cancelled at once, and the instance stops."""
    with socket.create_server(("127.0.0.1", 0)) as silent, labs_with_algorithms() as labs:
        labs.a.settings(SETTINGS + '[egress]\nallow = ["127.0.0.1"]\nschemes = ["http", "https"]\n[algorithms]\nactive = 1\npatience = 3\n')
        labs.start()
        bob = labs.a.folder / "bob"
        make_home(bob, "bob")
        labs.a.admit(bob, "bob", "read,write,invoke")
        body = invoke("shell", given("data", ("Href", f"http://127.0.0.1:{silent.getsockname()[1]}/never")), script="true")
        name = begin_job(labs.a, body, reply_to(labs.b))
        wait_until(lambda: job(labs.a, name).state == "Active", "it is fetched")
        assert job(labs.a, name).phase == "Inputs", job(labs.a, name)
        # The one place is free: for callers, for jobs, and for jobs of others that have something to fetch.
        more = [begin_job(labs.a, body, reply_to(labs.b)) for _ in range(3)]
        run(labs.a, invoke("shell", script="echo called > /out/out"))
        job_ended(labs.a, begin_job(labs.a, shell("echo queued > /out/out", "/queued"), reply_to(labs.b)), "Succeeded", seconds=20)
        source = store(labs.b, "/in", b"from b\n")
        fetches = invoke("text/cat", given("text", ("Href", source), token=labs.b.token("Copy", "--resource", "/in")), outputs='<wb:Output name="text"><wb:Path>/fetched</wb:Path></wb:Output>')
        begin_job(labs.a, fetches, reply_to(labs.b), token=labs.a.token("Invoke", home=bob))
        wait_until(lambda: "/fetched" in labs.b.paths(), "another's job with an input from elsewhere has run", 20)
        assert job(labs.a, name).phase == "Inputs", job(labs.a, name)
        for one in (*more, name):
            job(labs.a, one, "CancelJob")
        no_job_files(labs.a)
        begin_job(labs.a, body, reply_to(labs.b))
        time.sleep(0.5)
        began = time.monotonic()
        labs.a.stop()
        assert time.monotonic() - began < 10, "the stop waited for an input"


def random_kills():
    """Either of them, at any moment: each result arrives once and whole, or the job has failed and nothing is there."""
    chance = random.Random(4)
    with labs_with_algorithms() as labs:
        labs.start()
        names = {}
        for n in range(KILLS):
            victim = labs.a if chance.random() < 0.7 else labs.b
            name = begin_job(labs.a, shell(f"sleep 0.{chance.randrange(4)}; " + STAMP, f"/out/{n}"), reply_to(labs.b))
            names[name] = f"/out/{n}"
            time.sleep(chance.random() * 1.2)
            victim.kill()
            victim.start()
        for name, path in names.items():
            found = job_ended(labs.a, name, "Succeeded")
            assert found.receipt == [path], found
        assert sorted(labs.b.paths()) == sorted(names.values())
        for path in names.values():
            assert len(stored(labs.b, path)) == 300_020, path
        no_job_files(labs.a)


if __name__ == "__main__":
    main(killed_while_it_runs, a_run_that_has_ended_is_not_repeated, fetched_inputs_are_not_fetched_again, an_input_that_is_away_for_a_moment,
         a_slow_input_holds_up_nothing, random_kills)
