#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a start makes of a home whose catalog and content are not the ones that were stopped: nothing is ever wiped, and nothing is listed that cannot be read."""
import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN, Lab, envelope, expect_fault, main, run  # noqa: E402


def put(lab, path, content):
    lab.waybill("put", "-", f"lab:{path}", input=content)


def content_files(home):
    return sorted(entry for entry in (home / "content").rglob("*") if entry.is_file() and entry.name != "mark")


def refused_start(lab):
    """What a daemon says that does not start."""
    done = subprocess.run([str(BIN / "waybilld"), "--home", str(lab.home), "--listen", "127.0.0.1:0"], capture_output=True, timeout=60)
    assert done.returncode == 1, done
    return done.stderr.decode()


def move_catalog(lab, target):
    target.mkdir()
    for file in lab.home.glob("catalog.sqlite*"):
        shutil.move(file, target)


def start_without_the_catalog_wipes_nothing():
    with Lab() as lab:
        lab.start()
        put(lab, "/a", b"the only copy")
        lab.stop()
        before = content_files(lab.home)
        move_catalog(lab, lab.folder / "kept")
        for _ in range(2):
            said = refused_start(lab)
            assert "restore the catalog" in said and "move the folder content/ away" in said, said
            assert content_files(lab.home) == before
        # Restored, it is as it was.
        for file in (lab.folder / "kept").iterdir():
            shutil.copy(file, lab.home)
        lab.start()
        assert lab.waybill("get", "lab:/a", "-").stdout == b"the only copy"
        lab.stop()


def start_without_the_content_forgets_nothing():
    with Lab() as lab:
        lab.start()
        put(lab, "/a", b"the only copy")
        lab.stop()
        shutil.move(lab.home / "content", lab.folder / "kept")
        assert "put the content back" in refused_start(lab)
        shutil.rmtree(lab.home / "content")
        shutil.move(lab.folder / "kept", lab.home / "content")
        lab.start()
        assert lab.waybill("get", "lab:/a", "-").stdout == b"the only copy"
        lab.stop()


def online_backup_is_restored_whole():
    with Lab() as lab:
        lab.start()
        for path in ("/stays", "/overwritten", "/deleted"):
            put(lab, path, path.encode())
        backup = lab.folder / "backup"
        backup.mkdir()

        def copy_content():
            run("cp", "-a", f"{lab.home}/content/.", f"{backup}/content")

        # As docs/operations.md has it, with changes at each step.
        copy_content()
        put(lab, "/new", b"/new")
        lab.waybill("put", "--overwrite", "always", "-", "lab:/overwritten", input=b"second")
        put(lab, "/short-lived", b"short-lived")
        run("python3", "-c", "import sqlite3,sys; s=sqlite3.connect(sys.argv[1]); d=sqlite3.connect(sys.argv[2]); s.backup(d); d.close()",
            lab.home / "catalog.sqlite", backup / "catalog.sqlite")
        lab.waybill("rm", "lab:/deleted", "lab:/short-lived")
        put(lab, "/later", b"/later")
        copy_content()
        lab.stop()
        shutil.rmtree(lab.home / "content")
        for file in lab.home.glob("catalog.sqlite*"):
            file.unlink()
        shutil.copytree(backup / "content", lab.home / "content")
        shutil.copy(backup / "catalog.sqlite", lab.home)
        lab.start()
        assert lab.paths() == ["/deleted", "/new", "/overwritten", "/stays"], lab.paths()
        for path, content in (("/deleted", b"/deleted"), ("/new", b"/new"), ("/overwritten", b"second"), ("/stays", b"/stays")):
            assert lab.waybill("get", f"lab:{path}", "-").stdout == content
        # What the backup could not have is said, and its path is free.
        log = (lab.folder / "waybilld.log").read_text()
        assert '"object lost"' in log and "/short-lived" in log, log[-2000:]
        put(lab, "/short-lived", b"again")
        assert len(content_files(lab.home)) == 5
        lab.stop()


def the_instances_key_is_changed():
    """As docs/operations.md has it, with an algorithm, settings, and a caller who keeps the alias."""
    with Lab("[instance]\nname = 'of the settings'\n", grants="read,write,list,delete,invoke") as lab:
        (lab.home / "algorithms").mkdir(exist_ok=True)
        (lab.home / "algorithms/echo.toml").write_text('version = "1"\ntitle = "Echo"\ncommand = ["echo", "x"]\nstandard_output = "text"\n[outputs.text]\n')
        lab.start()
        put(lab, "/a", b"kept")
        before = json.loads(lab.waybill("stat", "--json", "lab:/a").stdout)
        old_id, old_token = lab.id(), lab.token("List")
        lab.stop()
        assert not (lab.home / "catalog.sqlite-wal").exists(), "a clean stop leaves one file"

        new_home = lab.folder / "new"
        run(BIN / "waybill", "--home", new_home, "init", "--name", "lab", "--host", "127.0.0.1")
        for file in [*lab.home.glob("catalog.sqlite*"), *(lab.home / name for name in ("content", "algorithms", "jobs", "waybill.toml"))]:
            if file.exists():
                file.rename(new_home / file.name)
        lab.home = new_home
        run(BIN / "waybill", "--home", lab.home, "renew-ledger")
        lab.certificate.write_bytes(run(BIN / "waybill", "--home", lab.home, "identity", "--pem").stdout)
        lab.start()
        assert lab.id() != old_id

        assert lab.waybill("ls", "lab:/", check=False).returncode == 1, "the old key is still pinned"
        again = lab.waybill("trust", lab.url, "--as", "lab", "--fingerprint", lab.id(), check=False)
        assert again.returncode == 1 and b"waybill revoke-key lab" in again.stderr, again
        lab.waybill("revoke-key", "lab")
        lab.waybill("trust", lab.url, "--as", "lab", "--fingerprint", lab.id())
        assert lab.waybill("get", "lab:/a", "-").stdout == b"kept"
        assert json.loads(lab.waybill("stat", "--json", "lab:/a").stdout) == before, "ids, and all else, stay"
        assert b"echo" in lab.waybill("algorithms", "lab:").stdout
        assert b"of the settings" in lab.post(envelope("<wb:GetInstance/>"), service="access")[2]
        expect_fault(lab.post(envelope("<wb:List/>", old_token)), "BadToken")
        put(lab, "/b", b"new")
        lab.stop()


if __name__ == "__main__":
    main(start_without_the_catalog_wipes_nothing, start_without_the_content_forgets_nothing, online_backup_is_restored_whole,
         the_instances_key_is_changed)
