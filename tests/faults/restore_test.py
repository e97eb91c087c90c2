#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a start makes of a home whose catalog and content are not the ones that were stopped: nothing is ever wiped, and nothing is listed that cannot be read."""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN, Lab, main, run  # noqa: E402


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


if __name__ == "__main__":
    main(start_without_the_catalog_wipes_nothing, start_without_the_content_forgets_nothing, online_backup_is_restored_whole)
