#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at random moments of Receive (of one object, of several, over another) and Delete: afterwards all of it is done or nothing, and every token is as good as it should be."""
import http.client
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import Lab, envelope, expect_fault, main, multipart, related, run  # noqa: E402

MOMENTS = int(os.environ.get("WAYBILL_CRASHES", "50"))


LARGEST = 3_000_000


def addressed(name, operation):
    return f"<wsa:MessageID>urn:uuid:crash-{name}</wsa:MessageID><wsa:Action>urn:waybill:1/{operation}</wsa:Action>"


def receive(objects, token, headers="", overwrite="Never"):
    """(body, content type) of one Receive of all these objects: contents by path."""
    data = "".join(f"<wb:Data><wb:Path>{path}</wb:Path><wb:Attachment>cid:{number}</wb:Attachment></wb:Data>" for number, path in enumerate(objects))
    xml = envelope(f"<wb:Receive>{data}<wb:Overwrite>{overwrite}</wb:Overwrite></wb:Receive>", token, headers)
    return multipart([("Content-Type: text/xml", xml), *((f"Content-ID: <{number}>", content) for number, content in enumerate(objects.values()))]), related()


def delete(path, token, headers=""):
    return envelope(f"<wb:Delete><wb:Data><wb:Path>{path}</wb:Path></wb:Data></wb:Delete>", token, headers), "text/xml; charset=utf-8"


class Sender(threading.Thread):
    """Sends one message on a connection that is there already, so that what is timed is the operation."""

    def __init__(self, lab, message):
        super().__init__()
        self.connection = lab.connection()
        self.connection.connect()
        self.message = message
        self.sent = False
        self.status = None
        self.cut = None

    def run(self):
        try:
            body, content_type = self.message
            self.connection.request("POST", "/services/data", body, {"Content-Type": content_type})
            self.sent = True
            reply = self.connection.getresponse()
            reply.read()
            self.status = reply.status
        except (OSError, http.client.HTTPException) as error:
            self.cut = error
        finally:
            self.connection.close()


def usual_span(lab, messages):
    """How long such an operation takes here, in the median."""
    spans = []
    for message in messages:
        sender = Sender(lab, message)
        began = time.monotonic()
        sender.run()
        spans.append(time.monotonic() - began)
        assert sender.status == 200, (sender.status, sender.cut)
    return sorted(spans)[len(spans) // 2]


def content_files(home):
    return sorted(entry.name for entry in (home / "content").rglob("*") if entry.is_file() and entry.name != "mark")


UPLOADS = ("Receive", "Several", "Overwrite")
KINDS = (*UPLOADS, "Delete")


class Moments:
    """Kills a daemon at random moments of one operation after another, and looks at what is there afterwards: all that the operation does, or nothing
    of it. Receive brings one new object; Several brings new ones and one in the place of another, in one message; Overwrite replaces one."""

    def __init__(self, lab, chance):
        self.lab = lab
        self.chance = chance
        self.stored = {}  # contents by path
        self.spans = {}
        probe = {f"/probe/{n}": b"p" * LARGEST for n in range(3)}
        for kind in KINDS:
            messages = []
            for path, content in probe.items():
                objects = {path: content} if kind != "Several" else {f"{path}/{n}": content[: LARGEST // 4] for n in range(4)}
                messages.append(self.message(kind, objects, self.lab.token(self.operation(kind))))
            self.spans[kind] = usual_span(lab, messages)
        self.stored = {f"{path}/{n}": content[: LARGEST // 4] for path, content in probe.items() for n in range(4)}
        # What the kills met: a whole request that got no answer, and what a restart then found.
        self.unanswered = dict.fromkeys(KINDS, 0)
        self.done = dict.fromkeys(KINDS, 0)
        self.undone = dict.fromkeys(KINDS, 0)

    @staticmethod
    def operation(kind):
        return "Delete" if kind == "Delete" else "Receive"

    def message(self, kind, objects, token, name=None):
        headers = addressed(name, self.operation(kind)) if name is not None else ""
        if kind == "Delete":
            return delete(next(iter(objects)), token, headers)
        return receive(objects, token, headers, "Never" if kind == "Receive" else "Always")

    def plan(self, kind, number):
        """What is there once it is done, of the paths that it touches; None for what is gone."""
        def content():
            return self.chance.randbytes(self.chance.randrange(1, LARGEST))

        taken = self.chance.choice(sorted(self.stored))
        if kind == "Delete":
            return {taken: None}
        if kind == "Overwrite":
            return {taken: content()}
        if kind == "Receive":
            return {f"/r/{number}": content()}
        return {f"/s/{number}/1": content(), taken: content(), f"/s/{number}/2": content()}

    def one(self, number):
        kind = self.chance.choice(KINDS)
        after = self.plan(kind, number)
        token = self.lab.token(self.operation(kind))
        message = self.message(kind, after, token, number)
        sender = Sender(self.lab, message)
        sender.start()
        time.sleep(self.chance.random() * self.spans[kind] * 1.2)
        self.lab.kill()
        sender.join()
        self.lab.start()
        self.check(kind, after, sender)
        self.again(kind, after, token, message)

    def contents(self, paths, listed):
        return {path: self.lab.waybill("get", f"lab:{path}", "-").stdout if path in listed else None for path in paths}

    def check(self, kind, after, sender):
        listed = set(self.lab.paths())
        found = self.contents(after, listed)
        done = found == after
        what = f"{kind} of {', '.join(after)}"
        assert done or found == {path: self.stored.get(path) for path in after}, f"{what} was done by halves"
        # What was acknowledged is done.
        assert done or sender.status != 200, f"{what} was acknowledged and is undone"
        assert sender.status in (None, 200), sender.status
        assert listed - set(after) == set(self.stored) - set(after), f"{what} changed {listed ^ set(self.stored)}"
        assert not list((self.lab.home / "staging").iterdir()), "a staging file leaked"
        assert len(content_files(self.lab.home)) == len(listed), "content that no object names"
        self.unanswered[kind] += sender.sent and sender.status is None
        (self.done if done else self.undone)[kind] += 1

    def again(self, kind, after, token, message):
        """The same message with the same token: the first receipt when it was done, otherwise it is done now. Then the token is spent."""
        status, _, body = self.lab.post(*message)
        assert status == 200 and f"{self.operation(kind)}Response".encode() in body, body
        self.stored = {path: content for path, content in {**self.stored, **after}.items() if content is not None}
        listed = set(self.lab.paths())
        assert listed == set(self.stored), set(self.stored) ^ listed
        assert self.contents(after, listed) == after
        other = {"/other": b"x"} if kind != "Delete" else {min(self.stored): None}
        expect_fault(self.lab.post(*self.message(kind, other, token)), "TokenReplayed")

    def met_everything(self):
        """A kill fell into each operation, and each kind of upload was found done once and undone once. (A Delete is decided within so little time
        that hardly a kill finds it undone.)"""
        return all((*self.unanswered.values(), *(some[kind] for kind in UPLOADS for some in (self.done, self.undone))))

    def read_all(self):
        assert self.contents(self.stored, set(self.stored)) == self.stored, "something is not whole"


def killed_while_receiving_and_deleting():
    seed = int(os.environ.get("WAYBILL_SEED", str(time.time_ns() % 1_000_000)))
    print(f"seed {seed}, {MOMENTS} moments", flush=True)
    chance = random.Random(seed)
    with Lab() as lab:
        lab.start()
        moments = Moments(lab, chance)
        # Where the machine makes the moments fall on one side, some more of them.
        number = 0
        while number < MOMENTS or (not moments.met_everything() and number < 4 * MOMENTS):
            moments.one(number)
            number += 1
            if chance.random() < 0.1:
                moments.read_all()
        moments.read_all()
        print(f"{number} kills: unanswered {moments.unanswered}, done {moments.done}, undone {moments.undone}", flush=True)
        assert moments.met_everything(), "no kill fell into one of the operations, or all uploads of a kind ended alike: the test saw only a part of what it is for"


def token_stays_spent_after_a_restart():
    with Lab() as lab:
        lab.start()
        token = lab.token("Receive")
        assert lab.post(*receive({"/a": b"a"}, token))[0] == 200
        lab.kill()
        lab.start()
        expect_fault(lab.post(*receive({"/b": b"b"}, token)), "TokenReplayed")
        lab.stop()


def restored_ledger_refuses_older_tokens():
    with Lab() as lab:
        lab.start()
        token = lab.token("List")
        lab.stop()
        time.sleep(1.1)
        run(os.path.join(os.environ.get("WAYBILL_BIN", "build/release/bin"), "waybill"), "--home", lab.home, "renew-ledger")
        lab.start()
        expect_fault(lab.post(envelope("<wb:List/>", token)), "BadToken")
        assert lab.post(envelope("<wb:List/>", lab.token("List")))[0] == 200


if __name__ == "__main__":
    main(killed_while_receiving_and_deleting, token_stays_spent_after_a_restart, restored_ledger_refuses_older_tokens)
