# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the waybill command in a folder of its own and says what came of it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN  # noqa: E402


class Done:
    """Exit code, and what was printed as text."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.raw = completed.stdout
        self.out = completed.stdout.decode(errors="replace")
        self.err = completed.stderr.decode(errors="replace")

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out[:3000]}\n--- err\n{self.err[:3000]}"


class Folder:
    """A working folder with homes in it. Commands run there, as a user without a home of their own."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="waybill-cli-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def environment(self, more=None):
        kept = {name: value for name, value in os.environ.items() if name != "WAYBILL_HOME"}
        return {**kept, "HOME": str(self.path), **(more or {})}

    def run(self, *arguments, stdin=b"", env=None, timeout=300):
        command = [str(BIN / "waybill"), *map(str, arguments)]
        return Done(subprocess.run(command, input=stdin, cwd=self.path, env=self.environment(env), capture_output=True, timeout=timeout))

    def good(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.code == 0, f"waybill {' '.join(map(str, arguments))}: {done!r}"
        return done

    def bad(self, code, *arguments, **options):
        """It ends with that code, prints nothing on standard output, and says why."""
        done = self.run(*arguments, **options)
        assert done.code == code, f"expected exit {code} of waybill {' '.join(map(str, arguments))}: {done!r}"
        assert done.err.startswith("waybill: "), done
        return done

    def files(self, below="."):
        root = self.path / below
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


class Work(Folder):
    """A folder whose commands use the home of the client of a Lab or of Labs."""

    def __init__(self, labs):
        super().__init__()
        self.labs = labs

    def run(self, *arguments, **options):
        return super().run("--home", self.labs.client_home, *arguments, **options)

    def write(self, name, data):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def content(self, name):
        return self.good("get", name, "-").raw

    def json(self, *arguments):
        return json.loads(self.good(*arguments, "--json").out)
