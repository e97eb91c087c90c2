#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers under cuts, kills, cancellation, hostile receivers and full load: what is delivered is delivered once and whole, or not at all.

WAYBILL_TRANSFER_KILLS is how many kills there are, WAYBILL_SEED what their moments are made from. Whatever part is named on the command line runs
alone; --list shows them."""
import contextlib
import http.client
import os
import pathlib
import random
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN, Labs, element, envelope, expect_fault, main, make_home, run, wait_until  # noqa: E402
from peers import (FINAL, Peer, Relay, begin, copy, ended, endpoint, failed, fault, foreign_fault, holds, new_id, onward, post, receipt, reply_to, services, store,  # noqa: E402
                   stored, succeeded, transfer)

KILLS = int(os.environ.get("WAYBILL_TRANSFER_KILLS", "100"))
QUICK = "[transfers]\nlongest_pause = 1\n"
MIB = 1 << 20
BIG = random.Random(1).randbytes(8 * MIB)


def through(labs, name, other, relay):
    """`name` knows `other` at the relay's port."""
    run(BIN / "waybill", "--home", labs[name].home, "trust", relay.url, "--as", other, "--fingerprint", labs[other].id())


@contextlib.contextmanager
def relayed(settings, to_b=(), to_a=(), **options):
    """A and B, who reach each other by relays alone: (labs, the relay before B, the relay before A)."""
    with Labs("a", "b", settings=settings) as labs:
        labs.start(introduce=False)
        with Relay(labs.b.port, **options) as before_b, Relay(labs.a.port, **options) as before_a:
            through(labs, "a", "b", before_b)
            through(labs, "b", "a", before_a)
            before_b.plan, before_a.plan = list(to_b), list(to_a)
            yield labs, before_b, before_a


def begin_relayed(labs, before_b, before_a, path="/x"):
    """B is addressed at its relay, and A is told that it is called at its own, which the lease names then."""
    return begin(labs.a, copy(path), reply_to(labs.b, address=before_b.url + "/services/data"), headers={"Host": f"127.0.0.1:{before_a.port}"})


def cut_while_pushed():
    size = len(BIG)
    for cuts in ([("in", 0)], [("in", 1000)], [("in", 100_000)], [("in", size // 2)], [("in", size - 1)], [("answer", size)],
                 [("in", 0), ("in", size // 2), ("answer", size)]):
        with relayed(QUICK + "lease_bytes = 0\n", to_b=cuts) as (labs, before_b, before_a):
            store(labs.a, "/x", BIG)
            state = succeeded(labs.a, begin_relayed(labs, before_b, before_a))
            assert before_b.cuts == len(cuts) and state.attempts == len(cuts) + 1, (cuts, before_b.cuts, state)
            holds(labs.b, {"/x": BIG})
            again = [line for line in (labs.b.home / "audit.log").read_text().splitlines() if '"CopyResponse"' in line and '"Receipt"' in line]
            assert len(again) == sum(what == "answer" for what, _ in cuts), (cuts, again)


def cut_while_pulled():
    """The receiver goes on where the content stopped: what passes is hardly more than the object, and the message is sent once."""
    size = len(BIG)
    for cuts in ([("out", 0)], [("out", size // 4)], [("out", size // 8)] * 3):
        with relayed(QUICK + f"lease_bytes = {size}\n", to_a=cuts) as (labs, before_b, before_a):
            store(labs.a, "/x", BIG)
            state = succeeded(labs.a, begin_relayed(labs, before_b, before_a))
            assert before_a.cuts == len(cuts) and state.attempts == 1, (cuts, before_a.cuts, state)
            holds(labs.b, {"/x": BIG})
            assert before_a.passed < size * 1.5 and before_b.passed < 100_000, (before_a.passed, before_b.passed)


def away_while_pulled():
    """The sender cannot be reached for longer than eight tries last: the receiver keeps what it has, and goes on."""
    content = BIG * 5  # by several connections
    with relayed(QUICK + f"lease_bytes = {len(content)}\n", to_a=[("out", len(content) // 2)]) as (labs, before_b, before_a):
        before_a.then = ("out", 0)
        store(labs.a, "/x", content)
        named = begin_relayed(labs, before_b, before_a)
        wait_until(lambda: before_a.cuts, "the first cut")
        time.sleep(35)
        assert transfer(labs.a, named).state == "Active"
        before_a.then = None
        state = succeeded(labs.a, named)
        assert state.attempts == 1 and before_a.passed < len(content) * 1.5, (before_a.passed, state)
        holds(labs.b, {"/x": content})


def a_pull_ends_with_its_instance():
    """A sender that cannot be reached does not hold the receiver's stop; after it the transfer goes on."""
    with relayed(QUICK + f"lease_bytes = {len(BIG)}\n[server]\ndrain_deadline = 4\n", to_a=[("out", len(BIG) // 2)]) as (labs, before_b, before_a):
        before_a.then = ("out", 0)
        store(labs.a, "/x", BIG)
        named = begin_relayed(labs, before_b, before_a)
        wait_until(lambda: before_a.cuts, "the first cut")
        began = time.monotonic()
        labs.b.stop(expect=None)
        assert time.monotonic() - began < 30, "the stop waited for the sender"
        assert not list((labs.b.home / "staging").iterdir())
        before_a.then = None
        labs.b.start()
        succeeded(labs.a, named)
        holds(labs.b, {"/x": BIG})


def a_pull_ends_with_its_caller():
    """Who has left holds no place."""
    with relayed(QUICK + "[server]\nworkers = 4\n", to_a=[("out", len(BIG) // 2)]) as (labs, before_b, before_a):
        before_a.then = ("out", 0)
        there = store(labs.a, "/x", BIG, "--public").replace(labs.a.url, before_a.url)

        def pull(timeout):
            message = envelope(f"<wb:Receive><wb:Data><wb:Path>/y</wb:Path><wb:Href>{there}</wb:Href></wb:Data></wb:Receive>", labs.b.token("Receive"))
            return labs.b.post(message, timeout=timeout)

        with contextlib.suppress(TimeoutError):
            raise AssertionError(f"it was answered, though its source is gone: {pull(3)}")
        before_a.then = None
        wait_until(lambda: pull(60)[0] == 200, "another of this caller's finds its place", 30)
        audit = (labs.b.home / "audit.log").read_text()
        assert "closed its connection before all was fetched" in audit, audit
        assert not list((labs.b.home / "staging").iterdir())


def refused_while_pulled():
    """What may no longer be called in the middle of a pull is what may not be called at its beginning: the content comes as an attachment."""
    size = len(BIG)
    with relayed(QUICK + f"lease_bytes = {size}\n", to_a=[("out", size // 2)], slow=0.05) as (labs, before_b, before_a):
        store(labs.a, "/x", BIG)
        named = begin_relayed(labs, before_b, before_a)
        wait_until(lambda: transfer(labs.a, named).done > 0, "some bytes")
        assert not before_a.cuts, "this machine is too slow for the test"
        run(BIN / "waybill", "--home", labs.b.home, "trust", labs.a.url, "--as", "a", "--fingerprint", labs.a.id())
        state = succeeded(labs.a, named)
        assert before_a.cuts == 1 and state.attempts == 2, (before_a.cuts, state)
        holds(labs.b, {"/x": BIG})


def cut_message_while_leased():
    size = len(BIG)
    for cuts in ([("in", 0)], [("answer", 3000)]):
        with relayed(QUICK + f"lease_bytes = {size}\n", to_b=cuts) as (labs, before_b, before_a):
            store(labs.a, "/x", BIG)
            succeeded(labs.a, begin_relayed(labs, before_b, before_a))
            assert before_b.cuts == 1
            holds(labs.b, {"/x": BIG})


class Kills:
    """Kills the sender or the receiver at random moments of one transfer after another."""

    SIZES = (2000, 8 * MIB, 8 * MIB + 1)  # pushed, pushed, leased

    def __init__(self, labs, chance):
        self.labs, self.chance = labs, chance
        self.contents = {size: chance.randbytes(size) for size in self.SIZES}
        self.ids = {size: store(labs.a, f"/from/{size}", content) for size, content in self.contents.items()}
        self.there, self.retried, self.unanswered, self.outcomes = {}, {"a": 0, "b": 0}, 0, {}
        self.spans = {size: self.usual(size) for size in self.SIZES}

    def usual(self, size):
        path = f"/usual/{size}"
        began = time.monotonic()
        succeeded(self.labs.a, begin(self.labs.a, copy((self.ids[size], path)), reply_to(self.labs.b)))
        self.there[path] = self.contents[size]
        return time.monotonic() - began

    def one(self, number):
        size, victim, path = self.chance.choice(self.SIZES), self.chance.choice("ab"), f"/to/{number}"
        named, to, token = new_id(), reply_to(self.labs.b), self.labs.a.token("Copy")
        answer = []

        def send():
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer.append(post(self.labs.a, "Copy", copy((self.ids[size], path)), named, to, token=token))

        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(self.chance.random() * self.spans[size])
        self.labs[victim].kill()
        sender.join()
        time.sleep(self.chance.random() * 0.3)
        self.labs[victim].start()
        if not answer:
            self.unanswered += 1
            send()  # the very same: whether it was taken before or not, there is one transfer
        assert answer and answer[0][0] == 202, answer
        self.check(named, path, size, victim)

    def check(self, named, path, size, victim):
        state = ended(self.labs.a, named)
        what = f"{path}, {size} bytes, {victim} killed: {state}"
        self.outcomes[state.state] = self.outcomes.get(state.state, 0) + 1
        self.retried[victim] += state.attempts > 1
        if state.state == "Succeeded":
            self.there[path] = self.contents[size]
            assert stored(self.labs.b, path) == self.contents[size], what
        else:
            assert path not in self.labs.b.paths("/to/"), what
            raise AssertionError(f"nothing stands in its way, and yet: {what}")

    def end(self):
        time.sleep(0.5)
        holds(self.labs.b, self.there)
        assert not list((self.labs.b.home / "staging").iterdir()), "a staging file leaked"


def killed_at_random_moments():
    seed = int(os.environ.get("WAYBILL_SEED", str(time.time_ns() % 1_000_000)))
    print(f"seed {seed}, {KILLS} kills", flush=True)
    with Labs("a", "b", settings=QUICK + f"lease_bytes = {8 * MIB + 1}\n") as labs:
        labs.start()
        kills = Kills(labs, random.Random(seed))
        number = 0
        while number < KILLS or (not all(kills.retried.values()) and number < 4 * KILLS):
            kills.one(number)
            number += 1
        kills.end()
        print(f"{number} kills: {kills.outcomes}, tried again {kills.retried}, unanswered {kills.unanswered}", flush=True)
        assert all(kills.retried.values()), "no kill fell into a transfer: the test saw only a part of what it is for"


def quiet(count, seconds=40):
    """The value once it has stood still for a second (what lies in socket buffers comes through a slow relay in the end)."""
    deadline = time.monotonic() + seconds
    while True:
        before = count()
        time.sleep(1)
        if count() == before:
            return before
        assert time.monotonic() < deadline, "it goes on"


def cancelled_in_mid_stream():
    for lease in (0, len(BIG)):
        with relayed(QUICK + f"lease_bytes = {lease}\n", slow=0.05) as (labs, before_b, before_a):
            store(labs.a, "/x", BIG)
            named = begin_relayed(labs, before_b, before_a)
            wait_until(lambda: 0 < transfer(labs.a, named).done < len(BIG), "some bytes")
            assert transfer(labs.a, named, "CancelTransfer").state == "Cancelled"
            settled = quiet(lambda: before_b.passed + before_a.passed)
            assert settled < len(BIG) * 0.9, f"{settled} bytes went in all: it went on"
            assert transfer(labs.a, named).state == "Cancelled"
            holds(labs.b, {})


def cancelled_while_it_waits():
    with Labs("a", "b", settings=QUICK) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        to = reply_to(labs.b)
        labs.b.stop()
        named = begin(labs.a, copy("/x"), to)
        wait_until(lambda: transfer(labs.a, named).attempts >= 2, "a second attempt")
        assert transfer(labs.a, named, "CancelTransfer").state == "Cancelled"
        labs.b.start()
        time.sleep(2.5)
        assert transfer(labs.a, named).state == "Cancelled" and labs.b.paths() == []


def waiting_survives_both_restarts():
    with Labs("a", "b", settings=QUICK) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        to = reply_to(labs.b)
        labs.b.kill()
        named = begin(labs.a, copy("/x"), to)
        labs.a.kill()
        labs.a.start()
        labs.b.start()
        succeeded(labs.a, named)
        holds(labs.b, {"/x": b"x"})


def given_up_at_the_deadline():
    with Labs("a", "b", settings=QUICK + "deadline = 3\n") as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        to = reply_to(labs.b)
        labs.b.stop()
        assert failed(labs.a, begin(labs.a, copy("/x"), to), "DeliveryFailed").attempts > 1
        # And at the end of the receiver's token, which it alone knows.
        labs.b.settings("[tokens]\nclock_skew = 0\n")
        labs.b.start()
        to = reply_to(labs.b, "--lifetime", "1s")
        time.sleep(1.5)
        assert failed(labs.a, begin(labs.a, copy("/x"), to), "TokenExpired").attempts == 1
        holds(labs.b, {})


def addresses_that_are_refused():
    with Labs("a", settings=QUICK) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        for address in ("", " ", "nonsense", "https://", "https://[", "https://127.0.0.1:99999/", "https://127.0.0.1:0/x", "//127.0.0.1/x", "urn:uuid:1", "https://u:p@127.0.0.1/",
                        "http://127.0.0.1/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1/", "https://127.0.0.1:1/x", "https://2130706433/", "https://0x7f.1/",
                        "https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://localhost/", "https://169.254.169.254/", "https://10.0.0.1/",
                        "https://127.0.0.1%00.example/", "https://127.0.0.1/&#10;Host:x"):
            for name in ("wsa:ReplyTo", "wsa:FaultTo"):
                token = labs.a.token("Copy")
                status, _, body = post(labs.a, "Copy", copy("/x"), new_id(), endpoint(name, address), token=token)
                assert status in (400, 500) and re.search(rb"AddressNotAllowed|InvalidAddress|InvalidMessage|InvalidAddressingHeader|InvalidEPR", body), (address, name, status, body)
        # Onward is an address like others.
        with Peer() as peer:
            status, _, body = post(labs.a, "List", "<wb:List/>", new_id(), endpoint("wb:Onward", peer.url))
            assert b"AddressNotAllowed" in body, body
            peer.quiet()
        assert b"<wb:Transfer>" not in labs.a.call("ListTransfers", "<wb:ListTransfers/>")[2]
        assert "AddressNotAllowed" in (labs.a.home / "audit.log").read_text()


def answers_that_end_it():
    """Each is (what the receiver answers, the words of LastError)."""
    redirect = lambda _: (307, {"Location": "https://127.0.0.1:1/"}, b"")  # noqa: E731
    answers = [(redirect, ["redirects", "307"]), (lambda _: (404, {}, b"nothing"), ["404", "nothing"]), (lambda _: (401, {"Content-Type": "text/html"}, b"<html>"), ["401"]),
               (lambda a: fault(a, "AlreadyExists"), ["AlreadyExists", "the peer says"]), (lambda a: fault(a, "NotAllowed", 200), ["NotAllowed"]),
               (lambda a: foreign_fault(a, True), ["says the foreigner"]), (lambda a: foreign_fault(a, True, 200), ["says the foreigner"])]
    for change, words in ((lambda data: data.replace('algorithm="sha-256">', 'algorithm="sha-256">00', 1), ["receipt", "digest"]),
                          (lambda data: re.sub(r"<wb:Size>\d+<", "<wb:Size>7<", data), ["receipt", "7 bytes"]), (lambda data: data * 2, ["receipt", "2 objects"]),
                          (lambda _: "<wb:Data/>", ["receipt", "no object"]),
                          (lambda data: re.sub("<wb:Path>.*</wb:Path>", "", data), ["receipt", "no object"]),
                          (lambda data: data.replace("<wb:Path>/x<", "<wb:Path>/y<"), ["receipt", "'/y'"]),
                          (lambda data: re.sub(r"<wb:Size>\d+</wb:Size>", "", data), ["receipt", "no number of bytes"]),
                          (lambda data: re.sub("<wb:Digest.*</wb:Digest>", "", data), ["receipt", "no digest"]),
                          (lambda data: re.sub('algorithm="sha-256">[0-9a-f]*<', 'algorithm="adler32">00000001<', data), ["receipt", "adler32"])):
        def wrong(arrived, change=change):
            made = receipt(arrived, change)
            return (*made[:2], re.sub(rb">00([0-9a-f]{62})[0-9a-f]{2}<", rb">00\1<", made[2]))
        answers.append((wrong, words))
    other = lambda a: (*receipt(a)[:2], receipt(a)[2].replace(a.text("MessageID").encode(), b"urn:uuid:another"))  # noqa: E731
    answers.append((other, ["receipt", "another message"]))
    answers.append((lambda a: (*receipt(a)[:2], receipt(a)[2].replace(b"ReceiveResponse>", b"ListResponse>")), ["receipt", "ListResponse"]))
    with Peer() as peer, Labs("a", settings=QUICK + peer.egress) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        for number, (answer, words) in enumerate(answers):
            peer.answer = answer
            state = failed(labs.a, begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", peer.url)), *words)
            assert state.attempts == 1, (number, state)
            peer.next()
            peer.quiet(0.1)


def answers_that_are_tried_again():
    xml = {"Content-Type": "text/xml"}
    garbage = [lambda _: (200, {}, b"\x00\xff garbage"), lambda _: (200, xml, b"<not-closed"), lambda _: (200, xml, b"<a/>"), lambda _: (500, {"Content-Type": "text/html"}, b"<html>"),
               lambda _: (503, {"Retry-After": "1"}, b""), lambda _: (429, {}, b"slowly"), lambda a: fault(a, "Busy"), lambda a: fault(a, "Internal", 200), lambda a: fault(a, "NoSpace"), lambda a: foreign_fault(a, False),
               lambda _: (200, {"Content-Type": 'multipart/related; boundary="x"'}, b"--y\r\n"),
               lambda a: (200, xml, b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>')]
    with Peer() as peer, Labs("a", settings=QUICK + peer.egress) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        for number, answer in enumerate(garbage):
            asked = []

            def then_well(arrived, answer=answer, asked=asked):
                asked.append(arrived.text("MessageID"))
                return answer(arrived) if len(asked) == 1 else receipt(arrived)

            peer.answer = then_well
            state = succeeded(labs.a, begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", peer.url)))
            assert state.attempts == 2 and len(set(asked)) == 1, (number, state, asked)


def who_stalls_is_left():
    """Accepting and stalling, and never answering: each attempt ends by itself, and meanwhile the instance serves."""
    slept = threading.Event()

    def never_first(arrived):
        if not slept.is_set():
            slept.set()
            time.sleep(75)
        return receipt(arrived)

    with Peer(never_first) as peer, Relay(peer.port, plan=[("stall",)]) as relay:
        settings = QUICK + peer.egress.replace("allow = [", f'allow = ["127.0.0.1:{relay.port}", ')
        with Labs("a", settings=settings) as labs:
            labs.start()
            store(labs.a, "/x", b"x")
            never = begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", peer.url))
            assert slept.wait(20)
            stalls = begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", relay.url + "/take"))
            assert succeeded(labs.a, stalls).attempts == 2
            assert succeeded(labs.a, never, seconds=120).attempts == 2


def reference_parameters_that_imitate_headers():
    """They are refused before anything goes anywhere."""
    imitations = ("<wsa:To>https://elsewhere/</wsa:To>", "<wsa:Action>urn:waybill:1/Delete</wsa:Action>", "<wsa:MessageID>urn:uuid:mine</wsa:MessageID>",
                  "<wsa:RelatesTo>urn:uuid:mine</wsa:RelatesTo>", "<wsa:ReplyTo><wsa:Address>http://www.w3.org/2005/08/addressing/none</wsa:Address></wsa:ReplyTo>",
                  "<wsa:FaultTo><wsa:Address>https://127.0.0.1:1/</wsa:Address></wsa:FaultTo>")
    with Labs("a", "b", settings=QUICK) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        for imitation in imitations:
            for name in ("wsa:ReplyTo", "wsa:FaultTo"):
                to = reply_to(labs.b, parameters=imitation).replace("wsa:ReplyTo>", f"{name}>") if name not in imitation else None
                if to:
                    status, _, body = post(labs.a, "Copy", copy("/x"), new_id(), to)
                    assert status == 500 and re.search(rb"InvalidMessage|InvalidAddressingHeader|InvalidEPR", body), (imitation, status, body)
        assert labs.a.paths() == ["/x"] and labs.b.paths() == [], "an imitation was obeyed"
        assert b"<wb:Transfer>" not in labs.a.call("ListTransfers", "<wb:ListTransfers/>")[2]


def two_race_for_one_path():
    with Labs("a", "b", "c", settings=QUICK + "lease_bytes = 2000000\n") as labs:
        labs.start()
        contents = {"a": b"a" * 1_000_000, "c": b"c" * 3_000_000}
        for name, content in contents.items():
            store(labs[name], "/x", content)
        winners = set()
        for number in range(6):
            path = f"/raced/{number}"
            named = {}
            messages = {name: (copy((store(labs[name], "/x", contents[name]), path)), reply_to(labs.b), labs[name].token("Copy")) for name in contents}
            for name in random.sample(sorted(contents), 2):
                body, to, token = messages[name]
                named[name] = begin(labs[name], body, to, token=token)
            states = {name: ended(labs[name], named[name]) for name in named}
            assert sorted(state.state for state in states.values()) == ["Failed", "Succeeded"], states
            winner = next(name for name in states if states[name].state == "Succeeded")
            assert any("AlreadyExists" in state.error for state in states.values()), states
            winners.add(winner)
            assert stored(labs.b, path) == contents[winner], f"{path} is not the winner's"
        assert len(labs.b.paths("/raced/")) == 6, winners


def at_full_load_both_ways():
    count, size = 60, MIB
    settings = QUICK + f"lease_bytes = {size + 1}\n[server]\nworkers = 4\n"
    with Labs("a", "b", settings=settings) as labs:
        labs.start()
        contents = {kind: random.Random(kind).randbytes(kind) for kind in (size, size + 1)}
        orders = []
        for here, there in (("a", "b"), ("b", "a")):
            ids = {kind: store(labs[here], f"/from/{kind}", content) for kind, content in contents.items()}
            for n in range(count):
                orders.append((here, copy((ids[size + n % 2], f"/to/{n}")), reply_to(labs[there]), labs[here].token("Copy")))
        named = {"a": [], "b": []}

        def send(mine):
            for here, body, to, token in mine:
                named[here].append(begin(labs[here], body, to, token=token))

        senders = [threading.Thread(target=send, args=([order for order in orders if order[0] == here],)) for here in "ab"]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        for here in "ab":
            assert len(named[here]) == count
            for one in named[here]:
                succeeded(labs[here], one, seconds=120)
        whole = {**{f"/from/{kind}": content for kind, content in contents.items()}, **{f"/to/{n}": contents[size + n % 2] for n in range(count)}}
        holds(labs.a, whole)
        holds(labs.b, whole)


def full_of_messages_to_pass_on():
    """A and B each have as much waiting as they may, all of it for the other to take and to answer: it moves."""
    with Labs("a", "b", settings=QUICK + "waiting = 1\n") as labs:
        labs.start()
        named = {}
        for here in "ab":
            store(labs[here], f"/from-{here}", b"x")

        def fill(here, there):
            named[here] = begin(labs[here], copy(f"/from-{here}"), reply_to(labs[there], parameters=onward(labs[here])))
            expect_fault(post(labs[here], "Copy", copy(f"/from-{here}"), new_id(), reply_to(labs[there])), "Busy")

        labs.a.stop()
        fill("b", "a")
        labs.b.stop()
        labs.a.start()
        fill("a", "b")
        labs.b.start()
        for here in "ab":
            succeeded(labs[here], named[here])
        holds(labs.a, {"/from-a": b"x", "/from-b": b"x"})
        holds(labs.b, {"/from-a": b"x", "/from-b": b"x"})


def nobody_waits_for_anothers_dead_peers():
    """alice has 100 transfers to each of two receivers that take connections and say nothing; bob's go through."""
    with Relay(then=("stall",)) as one, Relay(then=("stall",)) as two:
        dead = f'[egress]\nallow = ["127.0.0.1:{one.port}", "127.0.0.1:{two.port}", "127.0.0.1"]\n'
        with Labs("a", "b", settings={"a": QUICK + dead, "b": ""}) as labs:
            labs.start()
            store(labs.a, "/x", b"x")
            bob = labs.a.folder / "bob"
            make_home(bob, "bob")
            labs.a.admit(bob, "bob", "read")
            labs.b.admit(bob, "bob", "write")
            for n in range(200):
                begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", (one, two)[n % 2].url + "/x"))
            wait_until(lambda: one.taken and two.taken, "the connections that stall")
            began = time.monotonic()
            for n in range(5):
                to = endpoint("wsa:ReplyTo", services(labs.b), f"<wb:Token>{labs.b.token('Receive', home=bob)}</wb:Token><wb:Overwrite>Always</wb:Overwrite>")
                named = new_id()
                assert post(labs.a, "Copy", copy("/x"), named, to, token=labs.a.token("Copy", home=bob))[0] == 202
                ask = f"<wb:GetTransfer><wb:MessageId>{named}</wb:MessageId></wb:GetTransfer>"
                wait_until(lambda: element(labs.a.call("GetTransfer", ask, token=labs.a.token("GetTransfer", home=bob))[2], "State") == "Succeeded", f"bob's number {n}", 5)
            assert time.monotonic() - began < 14, "he waited for an attempt of hers to end"


def nobody_waits_for_anothers_many():
    """alice has 200 transfers to a receiver that is slow; bob's one to the same receiver is not the last."""
    with relayed(QUICK + "lease_bytes = 0\nper_peer = 2\n", slow=1.0) as (labs, before_b, before_a):
        store(labs.a, "/x", BIG[:64_000])
        bob = labs.a.folder / "bob"
        make_home(bob, "bob")
        labs.a.admit(bob, "bob", "read")
        labs.b.admit(bob, "bob", "write")
        address = before_b.url + "/services/data"
        for _ in range(100):
            begin(labs.a, copy("/x"), reply_to(labs.b, address=address, parameters="<wb:Overwrite>Always</wb:Overwrite>"))

        def hers():
            return len(re.findall(rb"<wb:State>(?:Queued|Active)<", labs.a.call("ListTransfers", "<wb:ListTransfers/>")[2]))

        before = hers()  # a slow machine has delivered some of them by now
        to = endpoint("wsa:ReplyTo", address, f"<wb:Token>{labs.b.token('Receive', home=bob)}</wb:Token><wb:Overwrite>Always</wb:Overwrite>")
        named = new_id()
        assert post(labs.a, "Copy", copy("/x"), named, to, token=labs.a.token("Copy", home=bob))[0] == 202
        ask = f"<wb:GetTransfer><wb:MessageId>{named}</wb:MessageId></wb:GetTransfer>"
        wait_until(lambda: element(labs.a.call("GetTransfer", ask, token=labs.a.token("GetTransfer", home=bob))[2], "State") == "Succeeded", "bob's", 60)
        left = hers()
        assert left > before / 2, f"only {left} of hers, {before} before, were left when his was done"


TESTS = [cut_while_pushed, cut_while_pulled, away_while_pulled, a_pull_ends_with_its_instance, a_pull_ends_with_its_caller, refused_while_pulled, cut_message_while_leased, killed_at_random_moments, cancelled_in_mid_stream, cancelled_while_it_waits,
         waiting_survives_both_restarts, given_up_at_the_deadline, addresses_that_are_refused, answers_that_end_it, answers_that_are_tried_again, who_stalls_is_left,
         reference_parameters_that_imitate_headers, two_race_for_one_path, at_full_load_both_ways, full_of_messages_to_pass_on, nobody_waits_for_anothers_dead_peers, nobody_waits_for_anothers_many]

if __name__ == "__main__":
    if "--list" in sys.argv:
        print("\n".join(test.__name__ for test in TESTS))
    else:
        main(*TESTS)
