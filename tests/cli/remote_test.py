#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""put, get, ls, stat, rm and trust against a running instance; also what they leave behind, and what they refuse."""
import hashlib
import json
import os
import pty
import random
import re
import select
import subprocess
import time

from transcript import BIN, Done, Folder
from lab import Lab, main, run

LAB = Lab()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Work(Folder):
    """A folder whose commands use the client's home of the running instance."""

    def run(self, *arguments, **options):
        return super().run("--home", LAB.client_home, *arguments, **options)

    def write(self, name, data):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def tree(folder, name, files=60):
    """Small, empty and larger files with all sorts of names."""
    made = {}
    generator = random.Random(name)
    for number in range(files):
        made[f"d{number % 7}/e{number % 3}/file {number}.txt"] = generator.randbytes(generator.choice([0, 1, 10, 5000, 70_000]))
    made["large.bin"] = generator.randbytes(700_000)
    made["ümläut & <xml> 'quoted' \"double\" %41 #?.txt"] = b"odd"
    made[".hidden"] = b"hidden"
    made["-dash"] = b"dash"
    for relative, data in made.items():
        folder.write(f"{name}/{relative}", data)
    return made


def a_file_goes_in_and_comes_out_by_each_name():
    with Work() as folder:
        data = os.urandom(1_000_000)
        folder.write("a.bin", data)
        done = folder.good("put", "a.bin", "lab:/one/a.bin")
        assert done.out == "" and "1 file" in done.err, done
        done = folder.good("get", "lab:/one/a.bin", "b.bin")
        assert done.out == "" and (folder.path / "b.bin").read_bytes() == data
        folder.good("put", "a.bin", "lab:/other/")
        folder.good("put", "a.bin", "lab:")  # all of the instance, as its URL is without a path
        assert folder.good("ls", "lab:").out == folder.good("ls", "lab:/").out and "/a.bin\n" in folder.good("ls", "lab:").out
        folder.good("rm", "lab:/a.bin")
        folder.good("get", f"https://127.0.0.1:{LAB.port}/other/a.bin", "c.bin")
        assert (folder.path / "c.bin").read_bytes() == data
        (folder.path / "d").mkdir()
        folder.good("get", "lab:/one/a.bin", "d")
        folder.good("get", "-q", "lab:/one/a.bin", "d/new", "--force")
        assert folder.files("d") == ["a.bin", "new"]


def data_is_found_by_its_id():
    with Work() as folder:
        folder.write("x", b"by id")
        folder.good("put", "x", "lab:/ids/x")
        url = json.loads(folder.good("stat", "--json", "lab:/ids/x").out)[0]["id"]
        assert json.loads(folder.good("stat", "--json", url).out)[0]["path"] == "/ids/x"
        assert folder.good("get", url, "-").raw == b"by id"
        (folder.path / "there").mkdir()
        folder.good("get", url, "there/")
        assert folder.files("there") == ["x"]
        folder.good("rm", url)
        assert "NoSuchData" in folder.bad(1, "stat", url).err


def refused_upload_is_not_sent():
    """Half a gigabyte for a path that is taken: the fault comes back, early, and not a broken connection."""
    with Work() as folder:
        folder.write("small", b"x")
        folder.good("put", "small", "lab:/taken")
        with open(folder.path / "huge", "wb") as file:
            file.truncate(500_000_000)
        for number in range(5):
            done = folder.bad(1, "put", "huge", "lab:/taken")
            assert "AlreadyExists" in done.err, done
        done = folder.bad(1, "put", "-", "lab:/taken", stdin=os.urandom(30_000_000))
        assert "AlreadyExists" in done.err, done


def sizes_around_every_limit():
    with Work() as folder:
        for size in (0, 1, 65_535, 65_536, 262_143, 262_144, 262_145, 1_048_576, 1_048_577, 5_000_000):
            data = os.urandom(size)
            folder.write("in", data)
            folder.good("put", "in", f"lab:/sizes/{size}")
            assert folder.good("get", f"lab:/sizes/{size}", "-").raw == data, size
            shown = json.loads(folder.good("stat", "--json", f"lab:/sizes/{size}").out)[0]
            assert shown["size"] == size and shown["digest"] == {"algorithm": "sha-256", "value": sha256(data)}, shown


def a_tree_goes_in_and_comes_out():
    with Work() as folder:
        made = tree(folder, "tree")
        receipts = json.loads(folder.good("put", "--json", "tree", "lab:/trees/").out)
        assert {one["path"]: one["digest"]["value"] for one in receipts} == {f"/trees/tree/{name}": sha256(data) for name, data in made.items()}
        folder.good("get", "lab:/trees/tree/", "out")
        assert {name: (folder.path / "out" / name).read_bytes() for name in folder.files("out")} == made
        folder.good("get", "-r", "lab:/trees/tree/d1")  # takes the name it has there
        assert folder.files("d1") == folder.files("tree/d1") != []
        folder.good("put", "tree/d1", "lab:/trees/renamed")
        listed = folder.good("ls", "lab:/trees/renamed").out.splitlines()
        assert listed and all(line.startswith("/trees/renamed/e") for line in listed), listed


def a_dot_puts_what_is_in_it():
    with Work() as folder:
        folder.write("x/a", b"a")
        folder.write("x/b/c", b"c")
        done = Done(subprocess.run([BIN / "waybill", "--home", LAB.client_home, "put", ".", "lab:/dot/"], cwd=folder.path / "x", env=folder.environment(),
                                   capture_output=True, timeout=60))
        assert done.code == 0, done
        assert folder.good("ls", "lab:/dot").out.splitlines() == ["/dot/a", "/dot/b/c"]


def data_and_data_below_it_share_a_name():
    with Work() as folder:
        folder.write("one", b"1")
        folder.good("put", "one", "lab:/clash/a")
        folder.good("put", "one", "lab:/clash/a/b/c")
        folder.good("put", "one", "lab:/clash/d")
        done = folder.bad(1, "get", "-r", "lab:/clash", "out")
        assert "lab:/clash/a'" in done.err and "get it alone" in done.err and "--force" not in done.err, done
        assert (folder.path / "out/a/b/c").read_bytes() == (folder.path / "out/d").read_bytes() == b"1"
        folder.good("get", "lab:/clash/a", "alone")
        done = folder.bad(1, "get", "lab:/clash/a/b")
        assert "below a path with -r" in done.err and "waybill ls" in done.err, done


def empty_folders_are_told():
    with Work() as folder:
        folder.write("full/file", b"1")
        (folder.path / "full/none").mkdir()
        done = folder.good("put", "full", "lab:/hollow/")
        assert "full/none' is left out: it is empty" in done.err, done
        assert folder.good("ls", "lab:/hollow").out == "/hollow/full/file\n"


def pipes():
    with Work() as folder:
        data = os.urandom(3_000_000)
        folder.good("put", "-", "lab:/pipe", stdin=data)
        assert folder.good("get", "lab:/pipe", "-").raw == data
        folder.good("put", "-", "lab:/empty-pipe", stdin=b"")
        assert folder.good("get", "lab:/empty-pipe", "-").raw == b""
        # slower than any buffer fills, and never silent: a little more than server.minimum_rate, for longer than a stall
        slow = f"for n in $(seq 34); do printf '%02000d' $n; sleep 1; done | {BIN}/waybill --home {LAB.client_home} put - lab:/slow-pipe"
        done = subprocess.run(slow, shell=True, capture_output=True, timeout=90)
        assert done.returncode == 0, done
        assert folder.good("get", "lab:/slow-pipe", "-").out == "".join(f"{n:02000}" for n in range(1, 35))
        # a reader that goes away is no accident
        done = subprocess.run(f"{BIN}/waybill --home {LAB.client_home} get lab:/pipe - | head -c 10 | wc -c", shell=True, capture_output=True, timeout=60)
        assert done.stdout.strip() == b"10", done


def overwriting():
    with Work() as folder:
        folder.write("v1", b"one")
        folder.write("v2", b"two")
        folder.good("put", "v1", "lab:/over")
        done = folder.bad(1, "put", "v2", "lab:/over")
        assert "AlreadyExists" in done.err and "/over" in done.err, done
        assert folder.good("get", "lab:/over", "-").raw == b"one"
        before = json.loads(folder.good("stat", "--json", "lab:/over").out)[0]["id"]
        folder.good("put", "v1", "lab:/over", "--overwrite", "if-different")
        assert json.loads(folder.good("stat", "--json", "lab:/over").out)[0]["id"] == before
        folder.good("put", "v2", "lab:/over", "--overwrite", "if-different")
        assert folder.good("get", "lab:/over", "-").raw == b"two"
        folder.good("put", "v1", "lab:/over", "--overwrite", "always")
        assert folder.good("get", "lab:/over", "-").raw == b"one"


def one_that_is_there_does_not_stop_the_others():
    with Work() as folder:
        for number in range(20):
            folder.write(f"many/{number:02}", b"%d" % number)
        folder.write("taken", b"old")
        folder.good("put", "taken", "lab:/many/07")
        folder.good("put", "taken", "lab:/many/13")
        done = folder.run("put", "many", "lab:/")
        assert done.code == 1 and done.err.count("AlreadyExists") == 2 and "many/07" in done.err and "many/13" in done.err and "18 files" in done.err, done
        assert len(folder.good("ls", "lab:/many").out.splitlines()) == 20
        assert folder.good("get", "lab:/many/07", "-").raw == b"old"
        assert folder.good("get", "lab:/many/19", "-").raw == b"19"


def what_cannot_be_read_is_named_and_the_rest_goes_on():
    with Work() as folder:
        folder.write("t/good", b"good")
        folder.write("t/bad\nname", b"x")
        os.symlink("good", folder.path / "t/link")
        os.symlink("nothing", folder.path / "t/broken")
        os.symlink("..", folder.path / "t/loop")
        os.mkfifo(folder.path / "t/fifo")
        (folder.path / os.fsdecode(b"t/not-utf8-\xff")).write_bytes(b"x")
        done = folder.run("put", "t", "lab:/odd/", "missing")
        assert done.code == 2, done  # the target comes last
        done = folder.run("put", "missing", "t", "lab:/odd/")
        assert done.code == 1, done
        for part in ("'missing'", "broken", "not-utf8", "loop", "fifo", "bad?name"):
            assert part in done.err, (part, done)
        assert folder.good("ls", "lab:/odd").out.splitlines() == ["/odd/t/good", "/odd/t/link"]
        assert folder.good("get", "lab:/odd/t/link", "-").raw == b"good"


def metadata_type_expiry_and_public():
    with Work() as folder:
        folder.write("p.pdf", b"%PDF-")
        folder.good("put", "p.pdf", "lab:/meta/", "--metadata", "run=7", "--metadata", "note=a=b <c>", "--public", "--expires", "30d")
        shown = json.loads(folder.good("stat", "--json", "lab:/meta/p.pdf").out)[0]
        assert shown["contentType"] == "application/pdf" and shown["secure"] is False and "expires" in shown, shown
        assert shown["metadata"] == [{"name": "run", "value": "7"}, {"name": "note", "value": "a=b <c>"}], shown
        status, headers, body = LAB.get("/data/" + shown["id"].rsplit("/", 1)[1])
        assert (status, body) == (200, b"%PDF-"), (status, body)
        folder.good("put", "p.pdf", "lab:/meta/typed", "--content-type", "text/x-special; charset=utf-8")
        assert json.loads(folder.good("stat", "--json", "lab:/meta/typed").out)[0]["contentType"] == "text/x-special; charset=utf-8"
        assert "run=7" in folder.good("stat", "lab:/meta/p.pdf").out
        folder.bad(1, "put", "p.pdf", "lab:/meta/x", "--content-type", "no type")


def get_leaves_nothing_half_done():
    with Work() as folder:
        folder.write("f", b"data")
        folder.good("put", "f", "lab:/half/f")
        before = folder.files()
        folder.bad(1, "get", "lab:/half/missing", "new")
        assert folder.files() == before, "a failed get left something"
        done = folder.bad(1, "get", "lab:/half/f", "f")
        assert "--force" in done.err and (folder.path / "f").read_bytes() == b"data", done
        (folder.path / "f").write_bytes(b"local")
        folder.good("get", "lab:/half/f", "f", "--force")
        assert (folder.path / "f").read_bytes() == b"data"
        folder.bad(1, "get", "lab:/half/f", "no/such/folder/f")
        folder.bad(1, "get", "lab:/nothing-here/")
        assert folder.files() == before
        folder.good("rm", "lab:/half/f")
        assert "NoSuchData" in folder.bad(1, "get", "lab:/half/f", "-").err


def get_stays_in_its_folder():
    with Work() as folder:
        folder.write("in", b"evil")
        for path in ("/esc/sub/file", "/esc/sub2"):
            folder.good("put", "in", f"lab:{path}")
        (folder.path / "out").mkdir()
        (folder.path / "elsewhere").mkdir()
        os.symlink("../elsewhere", folder.path / "out/sub")  # a trap laid before
        os.symlink("../elsewhere/victim", folder.path / "out/sub2")
        done = folder.run("get", "lab:/esc/", "out", "--force")
        assert done.code == 1 and "out/sub" in done.err, done
        assert folder.files("elsewhere") == [], "written through a link"
        assert (folder.path / "out/sub2").read_bytes() == b"evil" and not (folder.path / "out/sub2").is_symlink()


def listing_and_deleting():
    with Work() as folder:
        for number in range(1200):
            folder.write(f"l/{number:04}", b"%d" % number)
        folder.good("put", "l", "lab:/listed/")
        lines = folder.good("ls", "lab:/listed").out.splitlines()
        assert lines == [f"/listed/l/{number:04}" for number in range(1200)], len(lines)
        assert len(json.loads(folder.good("ls", "--json", "lab:/listed/").out)) == 1200
        details = folder.good("ls", "-l", "lab:/listed/l/0007").out
        assert details.startswith("s ") and details.endswith("  /listed/l/0007\n") and " 1  20" in details, details
        done = folder.good("ls", "lab:/nothing/here")
        assert done.out == "" and "nothing at or below 'lab:/nothing/here'" in done.err, done
        assert folder.good("ls", "--json", "lab:/nothing/here").out == "[]\n"
        folder.good("get", "-r", "lab:/listed/l", "back")
        assert [(folder.path / f"back/{number:04}").read_bytes() for number in range(1200)] == [b"%d" % number for number in range(1200)]
        done = folder.bad(1, "rm", "lab:/listed/l/0000", "lab:/listed/l/none")
        assert "NoSuchData" in done.err, done
        assert len(folder.good("ls", "lab:/listed").out.splitlines()) == 1200, "rm of several is all or nothing"
        folder.bad(2, "rm", "lab:/listed/")
        assert "2 objects" in folder.good("rm", "lab:/listed/l/0000", "lab:/listed/l/0001").err
        folder.good("rm", "-r", "lab:/listed/l")
        assert folder.good("ls", "lab:/listed").out == ""
        folder.bad(1, "rm", "-r", "lab:/listed/l")


def without_the_right():
    with Lab(grants="list") as other, Folder() as folder:
        other.start()
        (folder.path / "f").write_bytes(b"x")
        done = folder.bad(1, "--home", other.client_home, "put", "f", "lab:/f")
        assert "NotAllowed" in done.err and "write" in done.err, done
        folder.good("--home", other.client_home, "ls", "lab:/")
        folder.good("--home", "stranger", "init")
        folder.good("--home", "stranger", "trust", f"https://127.0.0.1:{other.port}", "--as", "lab", "--yes")
        done = folder.bad(1, "--home", "stranger", "ls", "lab:/")
        assert "UntrustedKey" in done.err, done
        # what the operator changes holds at once
        run(BIN / "waybill", "--home", other.home, "grant", "alice", "write", "/only")
        folder.good("--home", other.client_home, "put", "f", "lab:/only/f")
        folder.bad(1, "--home", other.client_home, "put", "f", "lab:/elsewhere")


def trusting_an_instance():
    with Folder() as folder:
        folder.good("--home", "me", "init")
        url = f"https://127.0.0.1:{LAB.port}"
        identity = json.loads(run(BIN / "waybill", "--home", LAB.home, "identity", "--json").stdout)["id"]
        done = folder.bad(1, "--home", "me", "trust", url, "--as", "lab")  # nobody to ask
        assert identity in done.err and "--fingerprint" in done.err, done
        folder.bad(1, "--home", "me", "trust", url, "--as", "lab", "--fingerprint", "0" * 64)
        assert folder.good("--home", "me", "keys").out == ""
        shown = json.loads(folder.good("--home", "me", "trust", url, "--as", "lab", "--fingerprint", identity, "--json").out)
        assert shown["id"] == identity and shown["url"] == url and shown["alias"] == "lab", shown


def asked_on_a_terminal():
    for answer, code in ((b"n\n", 1), (b"\n", 1), (b"y\n", 0)):
        with Folder() as folder:
            folder.good("--home", "me", "init")
            master, slave = pty.openpty()
            process = subprocess.Popen([BIN / "waybill", "--home", "me", "trust", f"https://127.0.0.1:{LAB.port}", "--as", "lab"], cwd=folder.path,
                                       env=folder.environment(), stdin=slave, stdout=slave, stderr=slave)
            os.close(slave)
            seen = b""
            while b"[y/N]" not in seen:
                assert select.select([master], [], [], 30)[0], seen
                seen += os.read(master, 4096)
            assert b"fingerprint" in seen, seen
            os.write(master, answer)
            assert process.wait(timeout=30) == code, seen
            os.close(master)
            assert (folder.good("--home", "me", "keys").out != "") == (code == 0)


def another_key_at_the_same_place():
    with Lab() as other, Folder() as folder:
        other.start()
        port = other.port
        other.stop()
        for name in ("instance.key", "instance.crt", "catalog.sqlite"):
            for file in other.home.glob(name + "*"):
                file.unlink()
        run(BIN / "waybill", "--home", other.home, "init", "--name", "impostor")
        other.port = port
        other.start()
        done = folder.bad(1, "--home", other.client_home, "ls", "lab:/")
        assert "another key" in done.err, done


def operators_own_certificate():
    """TLS with a certificate of a CA; the instance's key is for tokens alone."""
    with Lab() as other, Folder() as folder:
        for arguments in (["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2"],
                          ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=localhost"]):
            run("openssl", *arguments, cwd=folder.path)
        (folder.path / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        run("openssl", "x509", "-req", "-in", "tls.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "tls.pem", "-days", "2", "-extfile", "ext",
            cwd=folder.path)
        other.settings(f'[server]\ncertificate = "{folder.path}/tls.pem"\nkey = "{folder.path}/tls.key"\n')
        other.trusted = True
        other.start()
        url = f"https://127.0.0.1:{other.port}"
        done = folder.bad(1, "--home", other.client_home, "trust", url, "--as", "lab", "--yes")
        assert "authority" in done.err, done
        folder.good("--home", other.client_home, "trust", url, "--as", "lab", "--ca-file", folder.path / "ca.pem", "--yes")
        (folder.path / "f").write_bytes(b"x")
        folder.good("--home", other.client_home, "put", "f", "lab:/f")
        assert folder.good("--home", other.client_home, "get", "lab:/f", "-").raw == b"x"


def progress_is_for_terminals_alone():
    with Work() as folder:
        folder.write("big", os.urandom(1_000_000) * 600)
        assert "\r" not in folder.good("put", "big", "lab:/progress").err
        master, slave = pty.openpty()
        process = subprocess.Popen([BIN / "waybill", "--home", LAB.client_home, "get", "lab:/progress", "copy"], cwd=folder.path, env=folder.environment(),
                                   stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        seen = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and select.select([master], [], [], 30)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:  # how a terminal says that nobody writes to it any more
                break
        os.close(master)
        assert process.wait(timeout=30) == 0 and b"got 1 file" in seen, seen
        assert re.search(rb"\d+% \[#+ *\] [\d.]+ MB of 600.0 MB  [\d.]+ MB/s  \S+.* left", seen), seen[-2000:]
        assert (folder.path / "copy").read_bytes() == (folder.path / "big").read_bytes()


def two_files_for_one_path():
    with Work() as folder:
        folder.write("x1/a", b"one")
        folder.write("x2/a", b"two")
        done = folder.bad(2, "put", "--overwrite", "always", "x1/a", "x2/a", "lab:/both/")
        assert "x1/a" in done.err and "x2/a" in done.err and "/both/a" in done.err, done
        assert folder.good("ls", "lab:/both/").out == ""


def calls(operation):
    """How many calls of an operation the instance has answered."""
    return sum(float(line.split()[-1]) for line in LAB.get("/metrics")[2].decode().splitlines()
               if line.startswith("waybill_operations_total{") and f'operation="{operation}"' in line)


def sending_a_folder_again_takes_few_messages():
    with Work() as folder:
        for number in range(300):
            folder.write(f"t/{number % 3}/{number}", b"%d" % number)
        folder.good("put", "t", "lab:/again")
        folder.write("t/new", b"new")
        before = calls("Receive")
        done = folder.bad(1, "put", "t", "lab:/again")
        assert done.err.count("if-different") == 300 and "sent 1 file" in done.err, done
        assert calls("Receive") - before == 2, calls("Receive") - before
        assert folder.good("get", "lab:/again/new", "-").raw == b"new"


def get_looks_before_it_asks():
    with Work() as folder:
        folder.write("a", os.urandom(3_000_000))
        folder.good("put", "a", "lab:/looks/a")
        folder.good("put", "a", "lab:/looks/b")
        before = LAB.get("/metrics")[2]
        assert "is there already" in folder.bad(1, "get", "lab:/looks/a", "a").err
        folder.write("t/a", b"mine")
        done = folder.bad(1, "get", "-r", "lab:/looks", "t")
        assert done.err.count("is there already") == 1 and folder.files("t") == ["a", "b"], done
        copied = [float(text.split(b'waybill_content_bytes_total{direction="out"} ')[1].split()[0]) for text in (before, LAB.get("/metrics")[2])]
        assert copied[1] - copied[0] == 3_000_000, copied
        os.mkfifo(folder.path / "pipe")
        assert "no regular file" in folder.bad(1, "get", "-f", "lab:/looks/a", "pipe").err
        assert (folder.path / "pipe").is_fifo()


def nested_names_are_deleted_once():
    with Work() as folder:
        folder.write("t/inner/a", b"a")
        folder.write("t/b", b"b")
        folder.good("put", "t", "lab:/nested")
        assert "2 objects" in folder.good("rm", "-r", "lab:/nested", "lab:/nested/inner").err
        assert folder.good("ls", "lab:/nested").out == ""


def an_expiry_in_the_past_is_refused():
    with Work() as folder:
        folder.write("a", b"a")
        assert "has passed" in folder.bad(2, "put", "--expires", "2020-01-01", "a", "lab:/past").err


def file_that_changes_while_it_is_sent():
    with Work() as folder:
        # files of /proc say they have no bytes, and have some
        done = folder.bad(1, "put", "/proc/self/status", "lab:/proc-status")
        assert "changes" in done.err, done
        assert folder.good("ls", "lab:/proc-status").out == ""


if __name__ == "__main__":
    with LAB:
        LAB.start()
        main(a_file_goes_in_and_comes_out_by_each_name, data_is_found_by_its_id, refused_upload_is_not_sent, sizes_around_every_limit, a_tree_goes_in_and_comes_out, a_dot_puts_what_is_in_it, data_and_data_below_it_share_a_name,
             empty_folders_are_told, pipes, overwriting,
             one_that_is_there_does_not_stop_the_others, what_cannot_be_read_is_named_and_the_rest_goes_on, metadata_type_expiry_and_public,
             get_leaves_nothing_half_done, get_stays_in_its_folder, listing_and_deleting, without_the_right, trusting_an_instance, asked_on_a_terminal,
             another_key_at_the_same_place, operators_own_certificate, progress_is_for_terminals_alone, two_files_for_one_path, sending_a_folder_again_takes_few_messages, get_looks_before_it_asks, nested_names_are_deleted_once,
             an_expiry_in_the_past_is_refused, file_that_changes_while_it_is_sent)
