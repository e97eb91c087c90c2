#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at random moments of Receive and Delete: afterwards each object is whole or not there, and every token is as good as it should be."""
import hashlib
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import Lab, envelope, expect_fault, main, multipart, related, run  # noqa: E402

MOMENTS = int(os.environ.get("WAYBILL_CRASHES", "50"))


def receive_body(path, content, token, headers=""):
    xml = envelope(f"<wb:Receive><wb:Data><wb:Path>{path}</wb:Path><wb:Attachment>cid:one</wb:Attachment></wb:Data></wb:Receive>", token, headers)
    return multipart([("Content-Type: text/xml", xml), ("Content-ID: <one>", content)])


def addressed(n):
    return f"<wsa:MessageID>urn:uuid:crash-{n}</wsa:MessageID><wsa:Action>urn:waybill:1/Receive</wsa:Action>"


def content_files(home):
    return sorted(entry.name for entry in (home / "content").rglob("*") if entry.is_file() and entry.name != "mark")


def killed_while_receiving_and_deleting():
    seed = int(os.environ.get("WAYBILL_SEED", str(time.time_ns() % 1_000_000)))
    print(f"seed {seed}, {MOMENTS} moments", flush=True)
    chance = random.Random(seed)
    contents = {}
    stored = set()
    with Lab() as lab:
        lab.start()
        # How long the two operations take here, so that the moments fall into them.
        began = time.monotonic()
        assert lab.post(receive_body("/probe", b"p" * 3_000_000, lab.token("Receive")), related())[0] == 200
        span = (time.monotonic() - began) * 1.3
        contents["/probe"] = b"p" * 3_000_000
        stored.add("/probe")
        outcomes = {"kept": 0, "lost": 0}
        for moment in range(MOMENTS):
            path = f"/r/{moment}"
            contents[path] = chance.randbytes(chance.randrange(1, 3_000_000))
            token = lab.token("Receive")
            victim = sorted(stored)[chance.randrange(len(stored))] if moment % 2 and len(stored) > 1 else None
            delete_token = lab.token("Delete") if victim else None
            answers = {}

            def send():
                try:
                    answers["receive"] = lab.post(receive_body(path, contents[path], token, addressed(moment)), related())[0]
                    if victim:
                        answers["delete"] = lab.post(envelope(f"<wb:Delete><wb:Data><wb:Path>{victim}</wb:Path></wb:Data></wb:Delete>", delete_token))[0]
                except OSError:
                    pass
                except Exception as error:  # http.client's own, when the reply is cut
                    answers["cut"] = error

            sender = threading.Thread(target=send)
            sender.start()
            time.sleep(chance.random() * span)
            lab.kill()
            sender.join()
            lab.start()
            listed = set(lab.paths())
            # What was acknowledged is there; what was not is whole or absent.
            if answers.get("receive") == 200:
                assert path in listed, f"{path} was acknowledged and is gone"
            outcomes["kept" if path in listed else "lost"] += 1
            if answers.get("delete") == 200:
                assert victim not in listed, f"{victim} was deleted and is back"
            stored = (stored | {path}) & listed
            assert listed <= set(contents), listed - set(contents)
            assert not list((lab.home / "staging").iterdir()), "a staging file leaked"
            assert len(content_files(lab.home)) == len(listed), "content that no object names"
            # The same message again: the first receipt when it was stored, otherwise it is stored now, on the same token.
            status, _, body = lab.post(receive_body(path, contents[path], token, addressed(moment)), related())
            if path in listed or victim != path:
                assert status == 200, body
            stored.add(path)
            # And the token is spent now, for any other message.
            expect_fault(lab.post(receive_body(path + "-other", b"x", token), related()), "TokenReplayed")
            if chance.random() < 0.3 or moment == MOMENTS - 1:
                for name in sorted(stored):
                    got = lab.waybill("get", f"lab:{name}", "-").stdout
                    assert hashlib.sha256(got).digest() == hashlib.sha256(contents[name]).digest(), f"{name} is not whole"
        print(f"objects that were there after the kill: {outcomes['kept']}, not there: {outcomes['lost']}", flush=True)
        assert outcomes["kept"] and outcomes["lost"], "every moment fell on the same side; the test saw only half of what it is for"


def token_stays_spent_after_a_restart():
    with Lab() as lab:
        lab.start()
        token = lab.token("Receive")
        assert lab.post(receive_body("/a", b"a", token), related())[0] == 200
        lab.kill()
        lab.start()
        expect_fault(lab.post(receive_body("/b", b"b", token), related()), "TokenReplayed")
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
