#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""algorithms, run and jobs against running instances: every way in, every way out, jobs that outlive the command, what is refused and what is left
behind; and what an operator is told about the files of a home."""
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import transcript
from transcript import BIN, Folder
from lab import Labs, main, run, wait_until
import algorithms
from peers import Peer

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RIGHTS = "read,write,list,delete,invoke"
SORTED = b"a\nb\nc\n"
MORE = {
    "none": """
version = "1"
title = "Makes nothing"
command = ["true"]
""",
    "text/sort": """
version = "1.2"
title = "Lines in order"
help = "Sorts the lines of a text."
command = ["sort", { if = "reverse", then = ["-r"] }, "--", "{input.text}"]
standard_output = "sorted"
[inputs.text]
help = "What is sorted."
content_types = ["text/*"]
many = true
[outputs.sorted]
content_type = "text/plain"
[parameters.reverse]
type = "boolean"
help = "The last line first."
default = false
""",
    "picture": """
version = "1"
title = "A file whose type a parameter says"
command = ["sh", "-c", "printf picture > {output.picture}"]
[outputs.picture]
content_type = "image/{parameter.format}"
[parameters.format]
type = "enumeration"
values = ["png", "jpeg"]
default = "png"
""",
}


class Work(transcript.Work):
    def read(self, name):
        return (self.path / name).read_bytes()

    def jobs(self, instance="a"):
        return self.json("jobs", instance)


@contextlib.contextmanager
def work(*names, start=True, introduce=True, **options):
    """Instances, of which the first publishes algorithms, and a folder."""
    with Labs(*names, grants=RIGHTS, **options) as labs, Work(labs) as folder:
        algorithms.publish(labs[names[0]], MORE)
        if start:
            labs.start(introduce)
        yield labs, folder


def nothing_is_left(labs):
    algorithms.no_job_files(labs.a)


def what_there_is_is_listed_and_described():
    with work("a", "b") as (labs, folder):
        table = folder.good("algorithms", "a:").out
        assert re.search(r"^ID +VERSION +TITLE$", table, re.M) and re.search(r"^text/sort +1\.2 +Lines in order$", table, re.M), table
        assert folder.good("algorithms", "a").out == table and folder.good("algorithms", labs.a.url).out == table
        below = folder.good("algorithms", "a:/text/").out
        assert "text/sort" in below and "picture" not in below, below
        assert folder.good("algorithms", "a:/text").out == below
        assert folder.good("algorithms", "b:").err.startswith("waybill: there are no algorithms"), "b publishes nothing"
        everywhere = folder.good("algorithms").out
        assert everywhere == "a:\n" + table, everywhere
        assert {(one["instance"], one["id"]) for one in folder.json("algorithms")} >= {("a", "text/sort"), ("a", "two")}
        text = folder.good("algorithms", "a:/text/sort").out
        for part in ("Sorts the lines of a text.", "Inputs:\n  text ", "text/*; required; may be given again\n      What is sorted.",
                     "Outputs:\n  sorted ", "reverse           boolean; default false\n      The last line first.", "Limits:\n  5:00 in all",
                     "Example:\n  waybill run a:/text/sort text=FILE text=FILE --param reverse=false\n"):
            assert part in text, (part, text)
        assert "word              string of at most 40 bytes; required" in folder.good("algorithms", "a:text/grep").out
        assert "integer from 1 to 1000" in folder.good("algorithms", f"{labs.a.url}/text/grep").out
        assert "one of all, one; default all" in folder.good("algorithms", "a:/two").out
        described = folder.json("algorithms", "a:/text/grep")
        by_name = {parameter["name"]: parameter for parameter in described["parameters"]}
        assert by_name["most"]["minimum"] == "1" and by_name["word"]["required"] and by_name["ignore-case"]["default"] == "false", by_name
        assert described["inputs"] == [{"name": "text", "help": "", "contentTypes": [], "required": True, "many": False}], described
        assert described["limits"]["wallSeconds"] == 300, described
        folder.write("FILE", b"b\na\n")
        example = text.rsplit("Example:\n  waybill ", 1)[1].split()
        folder.good(*example)
        assert folder.read("sorted.txt") == b"a\na\nb\nb\n", "the example runs as it stands"
        assert "NoSuchAlgorithm" in folder.bad(1, "algorithms", "a:/text/none").err


def inputs_come_from_everywhere():
    with work("a", "b") as (labs, folder):
        folder.write("in.txt", b"c\na\nb\n")
        folder.good("put", "in.txt", "a:/docs/own")
        folder.good("put", "in.txt", "b:/docs/other")
        own = folder.json("stat", "a:/docs/own")[0]["id"]
        other = folder.json("stat", "b:/docs/other")[0]["id"]
        folder.good("put", "--public", "in.txt", "b:/public")
        public = folder.json("stat", "b:/public")[0]["id"]
        for text in ("in.txt", "./in.txt", "@a:/docs/own", "@/docs/own", f"@{own}", "@b:/docs/other", f"@{labs.b.url}/docs/other", f"@{other}", public):
            done = folder.good("run", "a:/text/sort", f"text={text}", "-o", "-")
            assert done.raw == SORTED and "ran a:/text/sort" in done.err, (text, done)
        assert folder.good("run", "a:text/sort", "text=-", "-o", "-", stdin=b"c\na\nb\n").raw == SORTED
        assert folder.good("-q", "run", f"{labs.a.url}/text/sort", "text=-", "-o", "-", stdin=b"").err == ""
        many = folder.good("run", "a:/text/sort", "text=in.txt", "text=@a:/docs/own", "text=@b:/docs/other", "text=-", "-p", "reverse=true", "-o", "-",
                           stdin=b"z\n")
        assert many.raw == b"z\n" + b"c\n" * 3 + b"b\n" * 3 + b"a\n" * 3, many
        nothing_is_left(labs)


def a_large_file_is_streamed():
    with work("a") as (labs, folder):
        lines = b"".join(b"%032x\n" % n for n in range(300_000))
        folder.write("in.txt", lines)
        limit = "" if "WAYBILL_SANITIZED" in os.environ else "ulimit -v 400000; "  # AddressSanitizer reserves terabytes
        limited = ["bash", "-c", f"{limit}exec {BIN}/waybill --home {labs.client_home} run a:/text/cat text=in.txt -o out"]
        done = subprocess.run(limited, cwd=folder.path, capture_output=True, timeout=300)
        assert done.returncode == 0 and folder.read("out") == lines, done.stderr
        done = folder.run("run", "a:/text/cat", "text=-", "-o", "-", stdin=lines)
        assert done.code == 0 and done.raw == lines, done.err


def results_go_to_files():
    with work("a") as (labs, folder):
        folder.write("in.txt", b"c\na\nb\n")
        done = folder.good("run", "a:/text/sort", "text=in.txt")
        assert folder.read("sorted.txt") == SORTED and done.out == "" and "wrote sorted.txt (6 B)" in done.err, done
        folder.good("run", "a:/text/sort", "text=in.txt", "-o", "named")
        folder.good("run", "a:/text/sort", "text=in.txt", "-o", "new/folder/")
        folder.good("run", "a:/text/sort", "text=in.txt", "-o", "new")
        assert "no folder 'none'" in folder.bad(1, "run", "a:/text/sort", "text=in.txt", "-o", "none/file").err
        assert folder.read("named") == folder.read("new/folder/sorted.txt") == folder.read("new/sorted.txt") == SORTED
        done = folder.good("run", "a:/two", "-o", "both")
        assert folder.files("both") == ["one.txt", "two.csv"] and folder.read("both/two.csv") == b"second\n", folder.files()
        assert "  to the log\n" in done.err, done
        row = folder.json("run", "a:/two", "-p", "what=one", "-o", "json")
        assert folder.files("json") == ["one.txt"] and row["exitStatus"] == 0 and row["log"] == "to the log\n", row
        assert [(one["name"], one["file"], one["size"]) for one in row["outputs"]] == [("one", "json/one.txt", 6)], row
        folder.good("run", "a:/picture", "-p", "format=jpeg")
        assert folder.read("picture.jpg") == b"picture"
        for attach in "mtom", "swa", "inline":
            folder.good("run", "a:/text/sort", "text=in.txt", "--attach", attach, "-o", attach)
            assert folder.read(attach) == SORTED, attach
        nothing_is_left(labs)


def files_that_are_there_stay():
    with work("a") as (labs, folder):
        folder.write("in.txt", b"c\na\nb\n")
        folder.write("sorted.txt", b"old")
        folder.write("picture.png", b"old")
        for arguments in (["a:/text/sort", "text=in.txt"], ["a:/text/sort", "text=in.txt", "-o", "sorted.txt"], ["a:/picture"]):
            done = folder.bad(1, "run", *arguments)
            assert re.search(r": '[a-z]+\.(txt|png)' is there already", done.err) and "--force" in done.err, done
        assert "[AlreadyExists]" in folder.bad(1, "run", "a:/shell", "-p", "script=exit 9", "-o", "sorted.txt").err, "found before anything runs"
        assert folder.read("sorted.txt") == b"old" and folder.files() == ["in.txt", "picture.png", "sorted.txt"]
        folder.good("run", "-f", "a:/text/sort", "text=in.txt")
        assert folder.read("sorted.txt") == SORTED


def results_are_kept_where_they_were_made():
    with work("a") as (labs, folder):
        folder.write("in.txt", b"c\na\nb\n")
        done = folder.good("run", "a:/text/sort", "text=in.txt", "--store", "/kept")
        path, identity = done.out.split()
        assert path == "a:/kept/sorted" and identity.startswith(labs.a.url + "/data/") and folder.files() == ["in.txt"], done
        assert folder.content(path) == SORTED and folder.content(identity) == SORTED
        done = folder.bad(1, "run", "a:/text/sort", "text=in.txt", "--store", "/kept/")
        assert "[AlreadyExists]" in done.err, done
        row = folder.json("run", "a:/text/sort", "text=-", "--store", "/kept", "--overwrite", "always")
        assert row["outputs"][0]["path"] == "/kept/sorted" and "file" not in row["outputs"][0] and folder.content("a:/kept/sorted") == b"", row
        folder.good("run", "a:/text/sort", "text=in.txt", "--store", "/here/too", "-o", "both")
        assert folder.read("both") == folder.content("a:/here/too/sorted") == SORTED
        done = folder.good("run", "a:/text/sort", "text=@/here/too/sorted", "--store", "/again", "-o", "-")
        assert done.raw == SORTED and folder.content("a:/again/sorted") == SORTED, done
        nothing_is_left(labs)


def results_go_to_another_instance():
    with work("a", "b", "c") as (labs, folder):
        folder.write("in.txt", b"c\na\nb\n")
        folder.good("put", "in.txt", "c:/in")
        done = folder.good("run", "a:/text/sort", "text=in.txt", "-o", "b:/results/")
        path, identity = done.out.split()
        assert path == "b:/results/sorted.txt" and identity.startswith(labs.b.url) and "its results are at b:/results/" in done.err, done
        assert folder.content("b:/results/sorted.txt") == SORTED
        folder.good("run", "a:/picture", "-p", "format=jpeg", "-o", "b:/pictures/")
        assert labs.b.paths("/pictures") == ["/pictures/picture.jpg"]
        # The data of one, run at another, its results at the third.
        job = folder.json("run", "a:/text/sort", "text=@c:/in", "-o", "b:/named")
        assert job["state"] == "Succeeded" and job["exitStatus"] == 0 and job["receipt"][0]["path"] == "/named", job
        assert folder.content("b:/named") == SORTED
        folder.good("run", "a:/two", "-o", f"{labs.b.url}/two/")
        assert labs.b.paths("/two") == ["/two/one.txt", "/two/two.csv"]
        folder.good("run", "a:/text/sort", "text=in.txt", "-o", "a:/own/")
        assert folder.content("a:/own/sorted.txt") == SORTED
        done = folder.bad(1, "run", "a:/text/sort", "text=-", "-o", "b:/results/", stdin=b"")
        assert "destination: " in done.err and "b:/results/sorted.txt" in done.err and "nothing was run" in done.err, done
        folder.good("run", "a:/text/sort", "text=-", "-o", "b:/results/", "--overwrite", "always", stdin=b"new\n")
        assert folder.content("b:/results/sorted.txt") == b"new\n"
        folder.good("run", "a:/text/sort", "text=in.txt", "-o", "b:/swa", "--attach", "swa")
        assert folder.content("b:/swa") == SORTED
        # An alias without a path is all of the instance, as its URL is; what is meant for a file says so.
        done = folder.good("run", "a:/text/sort", "text=in.txt", "-o", "b:")
        assert done.out.startswith("b:/sorted.txt ") and folder.content("b:/sorted.txt") == SORTED, done
        folder.good("run", "a:/text/sort", "text=in.txt", "-o", "./b:")
        assert folder.files() == ["b:", "in.txt"] and folder.read("b:") == SORTED
        nothing_is_left(labs)


def where_results_may_not_go():
    with work("a", "b", introduce=False) as (labs, folder):
        done = folder.bad(1, "run", "a:/text/sort", "text=-", "-o", "b:/x")
        assert "the called instance: " in done.err and "[AddressNotAllowed]" in done.err and f"trust {labs.b.url}" in done.err, done
        assert folder.jobs() == []
        labs.introduce("a", "b")
        run(BIN / "waybill", "--home", labs.b.home, "revoke-key", "alice")
        done = folder.bad(1, "run", "a:/text/sort", "text=-", "-o", "b:/x", "--overwrite", "always")
        assert "destination: " in done.err and "UntrustedKey" in done.err, done
        assert folder.jobs()[0]["phase"] == "Delivery" and folder.jobs()[0]["exitStatus"] == 0


def a_program_may_make_nothing():
    with work("a", "b") as (labs, folder):
        for algorithm in ("a:/quick", "a:/none"):
            done = folder.good("run", algorithm, *(("-p", "script=true") if algorithm == "a:/quick" else ()), "-o", "b:/nothing/")
            assert done.out == "", done
        assert [job["state"] for job in folder.jobs()] == ["Succeeded"] * 2 and labs.b.paths() == [], folder.jobs()


def jobs_are_listed_watched_shown_and_cancelled():
    with work("a", "b") as (labs, folder):
        slow = ["run", "a:/shell", "-p", "script=echo begun; echo there >&2; sleep 15; echo done > /out/out", "-o", "b:/slow", "--detach"]
        first = folder.good(*slow)
        name = first.out.strip()
        short = name.removeprefix("urn:uuid:")
        assert name.startswith("urn:uuid:") and f"waybill jobs cancel a {short}" in first.err, first
        wait_until(lambda: "there\n" in folder.good("jobs", "show", "a", short).out, "what it prints")
        shown = folder.good("jobs", "show", short).out
        assert f"id           {name}\n" in shown and "algorithm    shell\n" in shown and "state        Active\n" in shown and "phase        Run\n" in shown, shown
        assert "log\n  begun\n  there\n" in shown, shown
        table = folder.good("jobs", "a:").out
        assert table.startswith("ID ") and "PHASE" in table and f"shell -> {labs.b.url}/services/data" in table and short in table, table
        assert [job["id"] for job in folder.json("jobs", "--state", "active")] == [name]
        assert folder.json("jobs", "a", "--state", "failed") == [] and folder.good("jobs", "b").err == "waybill: there are no jobs\n"
        cancelled = json.loads(folder.good("jobs", "cancel", "a", short, "--json").out)
        assert cancelled[0]["id"] == name and cancelled[0]["state"] == "Cancelled", cancelled
        assert folder.bad(1, "jobs", "cancel", "a", short).err.count("waybill: ") == 1
        assert "NoSuchTransfer" in folder.bad(1, "jobs", "show", "a", "00000000-0000-4000-8000-000000000000").err
        assert folder.good("jobs", "--watch").err == "waybill: no job is under way\n"
        second = folder.json("run", "a:/shell", "-p", "script=sleep 2; echo done > /out/out", "-o", "b:/watched", "--detach")
        assert second["state"] in ("Queued", "Active"), second
        lines = folder.good("jobs", "a", "--watch").out
        assert second["job"].removeprefix("urn:uuid:") in lines and "Succeeded  Delivery" in lines, lines
        assert folder.content("b:/watched") == b"done\n" and "/slow" not in labs.b.paths()
        folder.bad(2, "jobs", "show")
        folder.bad(2, "jobs", "a", "--watch", "--state", "failed")
        nothing_is_left(labs)


def jobs_have_priorities():
    with work("a", "b", settings="[algorithms]\nactive = 1\n") as (labs, folder):
        begin = ["run", "a:/shell", "--detach", "-p"]
        folder.good(*begin, "script=sleep 5; echo x > /out/out", "-o", "b:/slow")
        for name, options in (("low", ("--priority", "1")), ("usual", ()), ("high", ("--priority", "5"))):
            folder.good(*begin, "script=date +%s%N > /out/out", "-o", f"b:/{name}", *options)
        jobs = folder.jobs()
        assert [job["priority"] for job in jobs] == [5, 3, 1, 3] and [job["state"] for job in jobs][:3] == ["Queued"] * 3, jobs
        table = folder.good("jobs", "a").out
        assert re.search(r"TRIES  PRIO  AGE", table) and re.search(r"Queued +Run +0 +5 ", table), table
        assert "priority     5\n" in folder.good("jobs", "show", "a", jobs[0]["id"]).out
        folder.good("jobs", "a", "--watch")
        times = {name: int(folder.content(f"b:/{name}")) for name in ("low", "usual", "high")}
        assert sorted(times, key=times.get) == ["high", "usual", "low"], times


def a_refused_job_is_told_at_once():
    with work("a", "b", settings="[algorithms]\nactive = 1\nqueued_per_principal = 1\n") as (labs, folder):
        begin = ["run", "a:/shell", "-p", "script=sleep 4; echo x > /out/out", "-o"]
        folder.good(*begin, "b:/1", "--detach")
        wait_until(lambda: folder.jobs()[0]["state"] == "Active", "the first runs")
        folder.good(*begin, "b:/2", "--detach")
        done = folder.bad(1, *begin, "b:/3", "--detach")
        assert done.out == "" and "[Busy]" in done.err and "queued_per_principal" in done.err, done
        done = folder.run(*begin, "b:/3", "--detach", "--json")
        assert done.code == 1 and json.loads(done.out)["state"] == "Failed" and "[Busy]" in done.err, done
        assert "Busy" in folder.good("jobs", "show", "a", json.loads(done.out)["job"]).out
        done = folder.bad(1, *begin, "b:/3")
        assert "[Busy]" in done.err and "NoSuchTransfer" not in done.err, done
        folder.good("jobs", "a", "--watch")
        assert sorted(labs.b.paths()) == ["/1", "/2"], labs.b.paths()


def a_job_is_followed():
    with work("a", "b") as (labs, folder):
        script = "for n in 1 2 3 4; do echo line $n; sleep 0.7; done; echo end > /out/out"
        done = folder.good("run", "a:/shell", "-p", f"script={script}", "-o", "b:/followed")
        assert "waybill: the job runs\n" in done.err and [done.err.count(f"  line {n}\n") for n in (1, 2, 3, 4)] == [1] * 4, done
        assert folder.good("-q", "run", "a:/shell", "-p", f"script={script}", "-o", "b:/quiet").err == ""
        done = folder.run("run", "a:/shell", "-p", "script=echo oh no; exit 3", "-o", "b:/never", "--json")
        assert done.code == 1 and json.loads(done.out)["state"] == "Failed" and json.loads(done.out)["exitStatus"] == 3, done
        assert "exit status 3 [AlgorithmFailed]\n  the end of what it printed:\n  oh no\n" in done.err, done
        done = folder.bad(1, "run", "a:/shell", "-p", "script=echo oh no; exit 3", "-o", "b:/never")
        assert done.err.count("oh no") == 1 and done.err.endswith("exit status 3 [AlgorithmFailed]\n  the end of what it printed: above\n"), done
        assert folder.good("jobs", "a").out.count("exit status 3\n") == 2
        assert "log\n  oh no\n" in folder.good("jobs", "show", "a", folder.jobs()[0]["id"]).out


def a_log_that_loses_its_beginning_is_followed():
    with work("a", "b") as (_, folder):
        script = "for n in $(seq 1 40); do for m in $(seq 1 100); do echo line $((n * 100 + m)); done; sleep 0.1; done; echo end > /out/out"
        err = folder.good("run", "a:/shell", "-p", f"script={script}", "-o", "b:/x").err
        lines = [int(number) for number in re.findall(r"^  line (\d+)$", err, re.M)]
        assert len(lines) > 1000 and lines == sorted(set(lines)) and lines[0] == 101 and lines[-1] == 4100, (len(lines), lines[:3], lines[-3:])


def a_job_goes_on_when_its_command_is_interrupted():
    with work("a", "b") as (labs, folder):
        waiting = subprocess.Popen([BIN / "waybill", "--home", labs.client_home, "run", "a:/shell", "-p", "script=sleep 3; echo done > /out/out", "-o", "b:/x"],
                                   cwd=folder.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: [job["state"] for job in folder.jobs()] == ["Active"], "the job runs")
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=60)
        short = folder.jobs()[0]["id"].removeprefix("urn:uuid:")
        assert waiting.returncode == -signal.SIGINT and out == b"", (waiting.returncode, err)
        assert f"the job {short} goes on".encode() in err and f"jobs show a {short}".encode() in err and f"jobs cancel a {short}".encode() in err, err
        folder.good("jobs", "a", "--watch")
        assert folder.content("b:/x") == b"done\n"


def what_fails_is_told_readably():
    with work("a", "b") as (labs, folder):
        done = folder.bad(1, "run", "a:/shell", "-p", "script=echo first; echo 'second; line' >&2; exit 7")
        assert "run 'a:/shell': the algorithm 'shell' failed with exit status 7" in done.err and "[AlgorithmFailed]" in done.err, done
        assert done.err.endswith("  the end of what it printed:\n  first\n  second; line\n"), done
        assert "killed at a limit" in folder.bad(1, "run", "a:/quick", "-p", "script=sleep 60").err
        done = folder.bad(1, "run", "a:/shell", "-p", "script=echo nothing to do")
        assert "ended well, but has not made its output 'out', the file /out/out [AlgorithmFailed]\n  the end of what it printed:\n  nothing to do\n" in done.err, done
        assert folder.files() == []
        nothing_is_left(labs)
        folder.write("in.txt", b"x\n")
        folder.write("in.png", b"x\n")
        for arguments, words in ((["a:/text/none"], ["NoSuchAlgorithm"]),
                                 (["a:/text/sort"], ["text", "input"]),
                                 (["a:/text/sort", "other=in.txt"], ["other"]),
                                 (["a:/text/sort", "text=missing.txt"], ["input 'text'", "missing.txt"]),
                                 (["a:/text/sort", "text=/tmp"], ["input 'text'", "no regular file"]),
                                 (["a:/text/sort", "text=in.png"], ["text/*", "image/png", "\n  give data of that type, or its right type with --content-type text=TYPE\n"]),
                                 (["a:/text/sort", "text=@a:/nothing"], ["input 'text'", "NoSuchData"]),
                                 (["a:/text/sort", "text=@nowhere:/x"], ["waybill trust"]),
                                 (["a:/text/sort", "text=https://127.0.0.1:1/x"], ["UnresolvableData", "AddressNotAllowed"]),
                                 (["a:/text/grep", "text=in.txt"], ["word"]),
                                 (["a:/text/grep", "text=in.txt", "-p", "word=x", "-p", "most=0"], ["most", "1"]),
                                 (["a:/two", "-p", "what=none"], ["what", "all"]),
                                 (["a:/two", "-p", "odd=1"], ["odd"]),
                                 (["nowhere:/two"], ["waybill trust"])):
            done = folder.bad(1, "run", *arguments)
            assert all(word in done.err for word in words), (arguments, done)
        assert folder.good("run", "a:/text/sort", "text=in.png", "--content-type", "text=text/plain", "-o", "-").raw == b"x\n"
        assert folder.files() == ["in.png", "in.txt"]


def wrong_usage_is_told():
    with work("a", "b") as (labs, folder):
        folder.write("in.txt", b"x\n")
        for arguments, words in ((["a:"], "waybill algorithms"), (["a:/text/"], "waybill algorithms"), (["/text/sort"], "ALIAS:/"),
                                 (["a:/text/sort", "in.txt"], "NAME=FILE"),
                                 (["a:/text/sort", "text=a:/docs/x"], "text=@a:/docs/x"), (["a:/text/sort", "text=@x"], "@ALIAS:/path"),
                                 (["a:/text/sort", "text=-", "text=-"], "standard input"), (["a:/text/sort", "text=in.txt", "reverse=true"], "--param reverse=true"),
                                 (["a:/two", "-p", "what"], "NAME=VALUE"), (["a:/two", "-o", "-"], "one, two"), (["a:/two", "-o", "b:/x"], "b:/x/"),
                                 (["a:/two", "--detach"], "-o ALIAS:/path/"), (["a:/two", "--overwrite", "always"], "--force"),
                                 (["a:/two", "--store", "b:/x"], "-o ALIAS:/path/"), (["a:/two", "--store", "/x", "-o", "b:/x/"], "--store"),
                                 (["a:/two", "--content-type", "x=text/plain"], "'x'"), (["a:/two", "--attach", "odd"], "--attach: 'odd' is not one of mtom, swa, inline\n"),
                                 (["a:/two", "--store", "/x", "--overwrite", "perhaps"], "--overwrite: 'perhaps' is not one of never, always, if-different\n"),
                                 (["a:/two", "--priority", "6"], "--priority"), (["a:/two", "--priority", "high"], "--priority"),
                                 (["a:/two", "-o", "b:results"], "write b:/results for the instance, or ./b:results for a file")):
            done = folder.bad(2, "run", *arguments)
            assert words in done.err, (arguments, done)
        folder.bad(2, "algorithms", "--check", "a:")
        folder.bad(2, "algorithms", "a:/../x")
        assert folder.files() == ["in.txt"] and folder.jobs() == []


def a_url_is_fetched_by_the_instance():
    with Peer(lambda arrived: (200, {"Content-Type": "text/plain"}, b"from\nelsewhere\n")) as peer, work("a", settings=peer.egress) as (_, folder):
        done = folder.good("run", "a:/text/sort", f"text={peer.url}", "-o", "-")
        assert done.raw == b"elsewhere\nfrom\n" and "GET" == peer.next().method, done
        folder.write("in.txt", b"mine\n")
        assert folder.good("run", "a:/text/sort", f"text={peer.url}", "text=in.txt", "-o", "-").raw == b"elsewhere\nfrom\nmine\n"


def an_operator_sees_what_is_published():
    with work("a", start=False) as (labs, folder):
        home = labs.a.home

        def operator(code, *arguments):
            done = Folder.run(folder, "--home", home, *arguments)
            assert done.code == code, done
            return done

        done = operator(0, "algorithms")
        assert "text/sort" in done.out and "algorithms published, 0 files left out" in done.err, done
        bad = home / "algorithms" / "text" / "bad.toml"
        bad.write_text('version = "1"\ntitle = "Bad"\ncommand = ["cat", "{input.nothing}"]\n')
        (home / "algorithms" / "worse.toml").write_text("version = \n")
        for arguments in (["algorithms"], ["algorithms", "--check"]):
            done = operator(1, *arguments)
            assert re.search(rf"^waybill: {re.escape(str(bad))}:3: ", done.err, re.M) and "worse.toml:1: " in done.err, done
            assert "2 files left out" in done.err and "text/sort" in done.out and "bad" not in done.out, done
        checked = json.loads(operator(1, "algorithms", "--json").out)
        assert len(checked["problems"]) == 2 and "text/sort" in [one["id"] for one in checked["algorithms"]], checked
        assert "Sorts the lines" in operator(0, "algorithms", "text/sort").out
        assert "NoSuchAlgorithm" in operator(1, "algorithms", "text/bad").err
        assert "algorithms" in folder.bad(1, "algorithms", "--check").err, "the client's home publishes nothing"


def what_an_operator_is_told_about_programs_and_odd_files():
    with work("a", start=False) as (labs, folder):
        home = labs.a.home
        tools = folder.path / "tools"
        tools.mkdir()
        tool = folder.write("tools/tool", b"#!/bin/sh\n")
        published = home / "algorithms"

        def problems():
            done = Folder.run(folder, "--home", home, "algorithms", "--check", timeout=20)
            return [line for line in done.err.splitlines() if f"{published}/" in line]

        assert problems() == []
        (published / "heat.toml").write_text('version = "1"\ntitle = "Heat"\ncommand = ["heat"]\n')
        (published / "tool.toml").write_text(f'version = "1"\ntitle = "Tool"\n\ncommand = ["{tool}"]\n')
        os.mkfifo(published / "fifo.toml")
        (published / "folder.toml").mkdir()
        (published / "device.toml").symlink_to("/dev/zero")
        (published / "huge.toml").write_text("#" * 300_000)
        for line, (name, words) in zip(problems(), (("device.toml:1: ", "is a device"), ("fifo.toml:1: ", "is a FIFO"), ("folder.toml:1: ", "is a folder"),
                                                    ("heat.toml:3: ", "there is no /usr/bin/heat on this machine; install it"), ("huge.toml:1: ", "more than 256 KiB"),
                                                    ("tool.toml:4: ", "in no folder that algorithms may read")), strict=True):
            assert line.startswith(f"waybill: {published}/{name}") and words in line, line
        with open(home / "waybill.toml", "a", encoding="utf-8") as settings:
            settings.write(f'[algorithms]\nread_only = ["{tools}"]\n')
        assert "may not be executed" in problems()[5], "the home's own settings are looked at"
        tool.chmod(0o755)
        assert len(problems()) == 5
        assert "NoSuchAlgorithm" in Folder.run(folder, "--home", home, "algorithms", "heat").err


def the_guide_works_as_written():
    guide = (SOURCE / "docs/algorithms.md").read_text()
    commands = guide.split("From the command line:\n\n```\n", 1)[1].split("```", 1)[0]
    with Peer(lambda arrived: (200, {"Content-Type": "text/plain"}, b"from\nelsewhere\n")) as peer, work("lab", "archive", settings=peer.egress) as (labs, folder):
        shutil.copytree(SOURCE / "examples/algorithms", labs.lab.home / "algorithms", dirs_exist_ok=True)
        folder.write("words.txt", b"c\na\nb\n")
        folder.good("put", "words.txt", "lab:/words.txt")
        folder.good("put", "words.txt", "archive:/2026/words.txt")
        for command in commands.replace("https://example.org/words.txt", peer.url).splitlines():
            done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder.path, capture_output=True, timeout=120,
                                  env=folder.environment({"PATH": f"{BIN}:{os.environ['PATH']}", "WAYBILL_HOME": str(labs.client_home)}))
            assert done.returncode == 0, (command, done)
        assert folder.read("sorted.txt") == SORTED == folder.content("lab:/sorted/sorted") and folder.content("archive:/sorted/sorted.txt") == b"elsewhere\nfrom\n"


def the_examples_do_what_they_say():
    """Each of examples/algorithms that nothing else runs, once well and once with what it refuses. The network's is in unit_network_analyse and the demo."""
    with work("lab", start=False) as (labs, folder):
        shutil.copytree(SOURCE / "examples/algorithms", labs.lab.home / "algorithms", dirs_exist_ok=True)
        labs.start()
        folder.write("words.txt", b"one two\nthree\n")
        folder.write("more.txt", b"four\n")
        counted = folder.good("run", "lab:/text/word-count", "texts=words.txt", "texts=more.txt", "-o", "-").out
        assert re.findall(r"^ *(\d+) +(\d+) +(\d+) ", counted, re.M) == [("2", "3", "14"), ("1", "1", "5"), ("3", "4", "19")], counted
        folder.write("table.json", b'{"items": [{"name": "a", "size": 1}, {"name": "b", "size": 2}]}')
        assert folder.good("run", "lab:/table/jq", "json=table.json", "-p", "filter=.items[].size", "-o", "-").out == "1\n2\n"
        assert "syntax error" in folder.bad(1, "run", "lab:/table/jq", "json=table.json", "-p", "filter=.[", "-o", "-").err
        text = bytes(range(256)) * 400
        folder.write("bytes", text)
        for method in ("gzip", "zstd", "xz"):
            folder.good("run", "lab:/archive/compress", "file=bytes", "-p", f"method={method}", "-p", "level=9", "-o", f"packed.{method}")
            packed = folder.read(f"packed.{method}")
            assert len(packed) < 5000 and subprocess.run([method, "-dc"], input=packed, capture_output=True, check=True).stdout == text, method
            folder.good("run", "lab:/archive/decompress", f"compressed=packed.{method}", "-p", f"method={method}", "-o", f"unpacked.{method}")
            assert folder.read(f"unpacked.{method}") == text, method
            assert "exit status 1" in folder.bad(1, "run", "lab:/archive/decompress", "compressed=words.txt", "-p", f"method={method}").err, method
        assert "level" in folder.bad(1, "run", "lab:/archive/compress", "file=bytes", "-p", "level=10").err
        picture = subprocess.run(["convert-im6.q16", "-size", "300x200", "gradient:", "png:-"], capture_output=True, check=True).stdout
        folder.write("picture.png", picture)
        for kind, name in (("jpeg", b"JPEG"), ("webp", b"WEBP"), ("png", b"PNG")):
            folder.good("run", "lab:/image/convert", "picture=picture.png", "-p", f"format={kind}", "-p", "width=150", "-p", "quality=80", "-o", f"made.{kind}")
            shown = subprocess.run(["identify-im6.q16", "-format", "%m %w %h", "-"], input=folder.read(f"made.{kind}"), capture_output=True, check=True).stdout
            assert shown == name + b" 150 100", shown
        folder.good("run", "lab:/image/convert", "picture=picture.png", "-o", "as-it-is.png")
        assert subprocess.run(["identify-im6.q16", "-format", "%w", "-"], input=folder.read("as-it-is.png"), capture_output=True, check=True).stdout == b"300"
        assert "image/png" in folder.bad(1, "run", "lab:/image/convert", "picture=words.txt").err  # a text is none
        folder.write("broken.png", picture[:40])
        assert "exit status 1" in folder.bad(1, "run", "lab:/image/convert", "picture=broken.png").err
        algorithms.no_job_files(labs.lab)


def rights_and_tokens_name_algorithms():
    with Labs("a", grants="list") as labs, Work(labs) as folder:
        algorithms.publish(labs.a)
        labs.start()
        assert "invoke" in folder.good("algorithms", "a:").err
        folder.write("in.txt", b"x\n")
        assert "NoSuchAlgorithm" in folder.bad(1, "run", "a:/text/cat", "text=in.txt").err
        granted = run(BIN / "waybill", "--home", labs.a.home, "grant", "alice", "invoke", "text/cat").stdout
        assert b"/text/cat" in granted, granted
        assert folder.good("algorithms", "a:").out.count("\n") == 2
        assert folder.good("run", "a:/text/cat", "text=in.txt", "-o", "-").raw == b"x\n"
        assert "NoSuchAlgorithm" in folder.bad(1, "run", "a:/text/grep", "text=in.txt", "-p", "word=x").err
        claims = folder.json("token", "--audience", "a", "--operation", "Invoke", "--resource", "text/cat", "--resource", "/docs")
        assert claims["resources"] == ["text/cat", "/docs"], claims
        body = algorithms.invoke("text/cat", algorithms.given("text", ("Content", "eAo=")))
        made = algorithms.send(labs.a, body, token=labs.a.token("Invoke", "--resource", "text"))
        assert made[0] == 200, made
        refused = algorithms.send(labs.a, body, token=labs.a.token("Invoke", "--resource", "text/grep"))
        assert b"NoSuchAlgorithm" in refused[2], refused
        assert "algorithm" in folder.bad(2, "token", "--audience", "a", "--operation", "Copy", "--resource", "text/cat").err


def a_call_that_breaks_off_may_have_been_done():
    with work("a") as (labs, folder):
        process = subprocess.Popen([BIN / "waybill", "--home", labs.client_home, "run", "a:/shell", "-p", "script=sleep 5.4321; echo x > /out/out"], cwd=folder.path,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(lambda: subprocess.run(["pgrep", "-f", "^sleep 5.4321"], stdout=subprocess.DEVNULL).returncode == 0, "the program runs")
        labs.a.kill()
        said = process.communicate(timeout=60)[1].decode()
        assert process.returncode == 1 and "it may have been done" in said and "TLS" not in said and folder.files() == [], said


def on_a_terminal(labs, folder, *arguments):
    """What a command shows there."""
    terminal, other = pty.openpty()
    process = subprocess.Popen([BIN / "waybill", "--home", labs.client_home, *arguments], cwd=folder.path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=other)
    os.close(other)
    seen = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and select.select([terminal], [], [], 60)[0]:
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
    os.close(terminal)
    assert process.wait(timeout=60) == 0, seen[-2000:]
    return seen


def progress_on_a_terminal():
    with work("a") as (labs, folder):
        folder.write("in.txt", b"x\n" * 4_000_000)
        seen = on_a_terminal(labs, folder, "run", "a:/text/cat", "text=in.txt", "-o", "out")
        assert b"% [" in seen and b"wrote out (8.0 MB)" in seen, seen[-2000:]
        assert folder.read("out") == b"x\n" * 4_000_000
        # While the program runs there is nothing to be moved.
        seen = on_a_terminal(labs, folder, "run", "a:/shell", "data=in.txt", "-p", "script=sleep 4; echo x > /out/out", "-o", "slow")
        assert b"waiting for the results  0:02" in seen and b"wrote slow (2 B)" in seen, seen[-2000:]
        assert b"waiting" not in on_a_terminal(labs, folder, "-q", "run", "a:/shell", "-p", "script=sleep 3; echo x > /out/out", "-o", "quiet")


main(what_there_is_is_listed_and_described, inputs_come_from_everywhere, a_large_file_is_streamed, results_go_to_files, files_that_are_there_stay,
     results_are_kept_where_they_were_made, results_go_to_another_instance, where_results_may_not_go, a_program_may_make_nothing, jobs_are_listed_watched_shown_and_cancelled,
     jobs_have_priorities, a_refused_job_is_told_at_once, a_job_is_followed, a_log_that_loses_its_beginning_is_followed, a_job_goes_on_when_its_command_is_interrupted, what_fails_is_told_readably,
     wrong_usage_is_told, a_url_is_fetched_by_the_instance, an_operator_sees_what_is_published, what_an_operator_is_told_about_programs_and_odd_files, the_guide_works_as_written, the_examples_do_what_they_say,
     rights_and_tokens_name_algorithms, a_call_that_breaks_off_may_have_been_done, progress_on_a_terminal)
