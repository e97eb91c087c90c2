#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at random moments of Receive and Delete: afterwards each object is whole or not there, and every token is as good as it should be."""
import hashlib
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


def receive(path, content, token, headers=""):
    """(body, content type) of a Receive of one object."""
    xml = envelope(f"<wb:Receive><wb:Data><wb:Path>{path}</wb:Path><wb:Attachment>cid:one</wb:Attachment></wb:Data></wb:Receive>", token, headers)
    return multipart([("Content-Type: text/xml", xml), ("Content-ID: <one>", content)]), related()


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


class Moments:
    """Kills a daemon at random moments of one operation after another, and looks at what is there afterwards."""

    def __init__(self, lab, chance):
        self.lab = lab
        self.chance = chance
        self.contents = {f"/probe/{n}": b"p" * LARGEST for n in range(5)}
        probes = list(self.contents)
        self.spans = {"Receive": usual_span(lab, [receive(path, self.contents[path], lab.token("Receive")) for path in probes]),
                      "Delete": usual_span(lab, [delete(path, lab.token("Delete")) for path in probes[:3]])}
        self.stored = set(probes[3:])
        # What the kills met: a whole request that got no answer, and what a restart then found.
        self.unanswered = {"Receive": 0, "Delete": 0}
        self.done = {"Receive": 0, "Delete": 0}
        self.undone = {"Receive": 0, "Delete": 0}

    def message(self, operation, path, token, name):
        headers = addressed(name, operation)
        return receive(path, self.contents[path], token, headers) if operation == "Receive" else delete(path, token, headers)

    def one(self, number):
        operation = self.chance.choice(["Receive", "Delete"]) if len(self.stored) > 1 else "Receive"
        path = f"/r/{number}" if operation == "Receive" else self.chance.choice(sorted(self.stored))
        if operation == "Receive":
            self.contents[path] = self.chance.randbytes(self.chance.randrange(1, LARGEST))
        token = self.lab.token(operation)
        message = self.message(operation, path, token, number)
        sender = Sender(self.lab, message)
        sender.start()
        time.sleep(self.chance.random() * self.spans[operation] * 1.2)
        self.lab.kill()
        sender.join()
        self.lab.start()
        self.check(operation, path, sender)
        self.again(operation, path, token, message)

    def check(self, operation, path, sender):
        listed = set(self.lab.paths())
        done = (path in listed) == (operation == "Receive")
        # What was acknowledged is done; what was not is done as a whole or not at all.
        assert done or sender.status != 200, f"{operation} of {path} was acknowledged and is undone"
        assert sender.status in (None, 200), sender.status
        assert listed - {path} == self.stored - {path}, f"{operation} of {path} changed {listed ^ self.stored}"
        assert not list((self.lab.home / "staging").iterdir()), "a staging file leaked"
        assert len(content_files(self.lab.home)) == len(listed), "content that no object names"
        self.unanswered[operation] += sender.sent and sender.status is None
        (self.done if done else self.undone)[operation] += 1

    def again(self, operation, path, token, message):
        """The same message with the same token: the first receipt when it was done, otherwise it is done now. Then the token is spent."""
        status, _, body = self.lab.post(*message)
        assert status == 200 and f"{operation}Response".encode() in body, body
        self.stored = self.stored | {path} if operation == "Receive" else self.stored - {path}
        assert set(self.lab.paths()) == self.stored, self.stored ^ set(self.lab.paths())
        if operation == "Receive":
            expect_fault(self.lab.post(*receive(path + "-other", b"x", token)), "TokenReplayed")
        else:
            expect_fault(self.lab.post(*delete(sorted(self.stored)[0], token)), "TokenReplayed")

    def met_everything(self):
        """A kill fell into each operation, and a Receive was found done once and undone once. (A Delete is decided within so little time that
        hardly a kill finds it undone.)"""
        return all((*self.unanswered.values(), self.done["Receive"], self.undone["Receive"]))

    def read_all(self):
        for path in sorted(self.stored):
            got = self.lab.waybill("get", f"lab:{path}", "-").stdout
            assert hashlib.sha256(got).digest() == hashlib.sha256(self.contents[path]).digest(), f"{path} is not whole"


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
            if chance.random() < 0.3:
                moments.read_all()
        moments.read_all()
        print(f"{number} kills: unanswered {moments.unanswered}, done {moments.done}, undone {moments.undone}", flush=True)
        assert moments.met_everything(), "no kill fell into one of the operations, or every Receive ended alike: the test saw only a part of what it is for"


def token_stays_spent_after_a_restart():
    with Lab() as lab:
        lab.start()
        token = lab.token("Receive")
        assert lab.post(*receive("/a", b"a", token))[0] == 200
        lab.kill()
        lab.start()
        expect_fault(lab.post(*receive("/b", b"b", token)), "TokenReplayed")
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
