#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies that go elsewhere, between real instances and to a recording HTTPS server: third-party copies, chains, leases, pulls, fall-over.
Whatever part is named on the command line runs alone; --list shows them."""
import concurrent.futures
import re
import sys
import threading
import time

from lib import SOAP11, SOAP12, bytes_of, element, envelope, expect_fault, main, multipart, related
from lab import Labs, make_home, wait_until
from peers import (Peer, begin, copy, endpoint, failed, fault, holds, new_id, onward, post, receipt, reply_to, services, store, stored, succeeded,
                   token_element, transfer)

QUICK = "[transfers]\nlongest_pause = 1\n"
LEASED = QUICK + "lease_bytes = 100000\n"
BLOCK = bytes_of(70_000)
LARGE = bytes_of(3_000_000)


def pair(settings=QUICK, **options):
    return Labs("a", "b", settings=settings, **options)


def copies_in_every_way():
    with pair() as labs:
        labs.start()
        store(labs.a, "/secret", BLOCK)
        store(labs.a, "/public", BLOCK, "--public")
        wanted = {}
        for soap in (SOAP11, SOAP12):
            for attach in ("MTOM", "SwA", "Inline", None):
                for path in ("/secret", "/public"):
                    name = f"/{soap[-9:-1].replace('/', '')}{attach}{path}"
                    found = element(labs.a.call("Describe", f"<wb:Describe><wb:Data><wb:Path>{path}</wb:Path></wb:Data></wb:Describe>")[2], "Id")
                    named = begin(labs.a, copy((found, name), attach=attach), reply_to(labs.b, "--resource", name), soap=soap)
                    state = succeeded(labs.a, named)
                    assert state.receipt == [name] and state.attempts == 1 and state.done == state.total == len(BLOCK), state.xml
                    wanted[name] = BLOCK
        holds(labs.b, wanted)
        described = labs.b.call("Describe", f"<wb:Describe><wb:Data><wb:Path>{min(wanted)}</wb:Path></wb:Data></wb:Describe>")[2]
        assert element(described, "Secure") in ("true", "false"), described
        secure = {path: element(labs.b.call("Describe", f"<wb:Describe><wb:Data><wb:Path>{path}</wb:Path></wb:Data></wb:Describe>")[2], "Secure") for path in wanted}
        assert all((secure[path] == "true") == path.endswith("/secret") for path in wanted), secure


def several_objects_in_one():
    with pair() as labs:
        labs.start()
        contents = {f"/in/{n}": bytes_of(n * 1000) for n in range(20)}
        for path, content in contents.items():
            store(labs.a, path, content)
        state = succeeded(labs.a, begin(labs.a, copy(*contents), reply_to(labs.b)))
        assert state.receipt == list(contents) and state.total == sum(map(len, contents.values())), state.xml
        holds(labs.b, contents)
        # All or nothing: one path of several is taken.
        store(labs.a, "/new", b"new")
        failed(labs.a, begin(labs.a, copy("/new", "/in/3"), reply_to(labs.b)), "AlreadyExists", "/in/3")
        holds(labs.b, contents)
        # Unless the caller says that it may be replaced.
        store(labs.a, "/in/3", b"other")
        succeeded(labs.a, begin(labs.a, copy("/in/3"), reply_to(labs.b, parameters="<wb:Overwrite>Always</wb:Overwrite>")))
        holds(labs.b, {**contents, "/in/3": b"other"})


def by_reference():
    """Attach Reference sends no bytes: B fetches what is public at A."""
    with pair() as labs:
        labs.start()
        store(labs.a, "/public", BLOCK, "--public")
        store(labs.a, "/secret", BLOCK)
        succeeded(labs.a, begin(labs.a, copy("/public", attach="Reference"), reply_to(labs.b)))
        holds(labs.b, {"/public": BLOCK})
        failed(labs.a, begin(labs.a, copy("/secret", attach="Reference"), reply_to(labs.b)), "NotAllowed")
        holds(labs.b, {"/public": BLOCK})


def tokens_bound_what_a_delegate_can_do():
    with pair() as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        failed(labs.a, begin(labs.a, copy("/x"), reply_to(labs.b, "--resource", "/other")), "NotAllowed")
        failed(labs.a, begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", services(labs.b))), "NoToken")
        failed(labs.a, begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", services(labs.b), token_element(labs.b.token("List")))), "NotAllowed")
        spent = labs.b.token("Receive")
        to = endpoint("wsa:ReplyTo", services(labs.b), token_element(spent))
        succeeded(labs.a, begin(labs.a, copy("/x"), to))
        failed(labs.a, begin(labs.a, copy("/x"), to), "TokenReplayed")
        # The token for A may say where the reply goes; elsewhere it does not.
        bound = labs.a.token("Copy", "--reply-to", "https://127.0.0.1:1/services/data")
        expect_fault(post(labs.a, "Copy", copy("/x"), new_id(), reply_to(labs.b), token=bound), "AddressNotAllowed")
        bound = labs.a.token("Copy", "--reply-to", services(labs.b))
        refused = labs.a.call("Copy", copy("/x"), token=bound)  # nor back to whoever has the token
        expect_fault(refused, "AddressNotAllowed")
        succeeded(labs.a, begin(labs.a, copy("/x"), reply_to(labs.b, parameters="<wb:Overwrite>Always</wb:Overwrite>"), token=bound))
        holds(labs.b, {"/x": b"x"})


def silence_is_no_receipt():
    """An instance that answers a used token with silence has stored nothing, and nobody is told that it has."""
    with pair(settings={"a": QUICK, "b": QUICK + '[tokens]\nreplay = "silence"\n'}) as labs:
        labs.start()
        store(labs.a, "/one", b"one")
        store(labs.a, "/two", b"two")
        where = reply_to(labs.b)  # with its token, which is used twice here
        succeeded(labs.a, begin(labs.a, copy("/one"), where))
        failed(labs.a, begin(labs.a, copy("/two"), where), "DeliveryFailed", "no receipt")
        holds(labs.b, {"/one": b"one"})


def same_message_starts_nothing_new():
    with pair() as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        to, token = reply_to(labs.b), labs.a.token("Copy")
        named = begin(labs.a, copy("/x"), to, token=token)
        first = succeeded(labs.a, named)
        begin(labs.a, copy("/x"), to, message_id=named, token=token)
        begin(labs.a, copy("/x"), reply_to(labs.b), message_id=named)
        assert transfer(labs.a, named).xml.count(b"Started") == 2 and transfer(labs.a, named).attempts == first.attempts
        # And the same id for something else is refused, and not taken for done.
        expect_fault(post(labs.a, "Copy", copy("/y"), named, to), "DuplicateMessageID")
        expect_fault(post(labs.a, "Delete", "<wb:Delete><wb:Data><wb:Path>/x</wb:Path></wb:Data></wb:Delete>", named, to), "DuplicateMessageID")
        found = listed(labs.a)
        assert found.count(named.encode()) == 1 and found.count(b"<wb:Transfer>") == 1, found


def transfers_are_asked_about():
    with pair() as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        good = [begin(labs.a, copy("/x"), reply_to(labs.b, parameters="<wb:Overwrite>Always</wb:Overwrite>")) for _ in range(3)]
        bad = begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", services(labs.b)))
        for named in good:
            succeeded(labs.a, named)
        failed(labs.a, bad, "NoToken")
        pages, token = [], ""
        while True:
            page = labs.a.call("ListTransfers", f"<wb:ListTransfers><wb:Limit>1</wb:Limit>{token}</wb:ListTransfers>")[2]
            found = re.search(rb"<wb:NextPageToken>([^<]*)<", page)
            pages += re.findall(rb"<wb:MessageId>([^<]*)<", page)
            if not found:
                break
            token = f"<wb:PageToken>{found[1].decode()}</wb:PageToken>"
        assert [page.decode() for page in pages] == [bad, *reversed(good)], pages
        only = labs.a.call("ListTransfers", "<wb:ListTransfers><wb:State>Failed</wb:State></wb:ListTransfers>")[2]
        assert re.findall(rb"<wb:MessageId>([^<]*)<", only) == [bad.encode()], only
        expect_fault(labs.a.call("GetTransfer", "<wb:GetTransfer><wb:MessageId>urn:uuid:none</wb:MessageId></wb:GetTransfer>"), "NoSuchTransfer")
        expect_fault(labs.a.call("CancelTransfer", f"<wb:CancelTransfer><wb:MessageId>{bad}</wb:MessageId></wb:CancelTransfer>"), "BadParameter")
        # Another's transfers are nobody else's.
        bob = labs.a.folder / "bob"
        make_home(bob, "bob")
        labs.a.admit(bob, "bob", "read,write")
        asked = labs.a.call("GetTransfer", f"<wb:GetTransfer><wb:MessageId>{bad}</wb:MessageId></wb:GetTransfer>", token=labs.a.token("GetTransfer", home=bob))
        expect_fault(asked, "NoSuchTransfer")
        assert b"<wb:Transfer>" not in labs.a.call("ListTransfers", "<wb:ListTransfers/>", token=labs.a.token("ListTransfers", home=bob))[2]


def any_reply_goes_elsewhere():
    with Peer() as peer, Labs("a", settings=QUICK + peer.egress) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        own = '<k:K xmlns:k="urn:k" a="1 &amp; 2">mine</k:K>'
        for soap in (SOAP11, SOAP12):
            for operation, body in (("List", "<wb:List/>"), ("Describe", "<wb:Describe><wb:Data><wb:Path>/x</wb:Path></wb:Data></wb:Describe>"), ("Copy", copy("/x"))):
                named = new_id()
                reply = post(labs.a, operation, body, named, endpoint("wsa:ReplyTo", peer.url, own), soap=soap)
                assert reply[0] == 202 and reply[2] == b"", reply
                came = peer.next()
                action = f"urn:waybill:1/{operation}Response"
                assert came.method == "POST" and came.path == "/take" and came.soap12 == (soap == SOAP12), came.body
                assert came.text("Action") == action and came.text("RelatesTo") == named and came.text("To") == peer.url, came.body
                assert came.text("MessageID").startswith("urn:uuid:") and came.text("MessageID") != named, came.body
                assert f"<wb:{operation}Response".encode() in came.body.split(b"Body>")[1], came.body
                header = came.body.split(b"Header>")[1]
                found = re.search(rb"<k:K [^>]*>mine<", header)
                assert found and b'IsReferenceParameter="true"' in found[0] and b"1 &amp; 2" in found[0], header
                if soap == SOAP11 and operation != "Copy":
                    assert came.headers["SOAPAction"] == f'"{action}"' and came.headers["Content-Type"].startswith("text/xml"), came.headers
                elif operation != "Copy":
                    assert came.headers["Content-Type"].startswith("application/soap+xml"), came.headers
                assert succeeded(labs.a, named).attempts == 1
        peer.quiet()


def writes_are_done_once_and_answered_elsewhere():
    with Peer() as peer, Labs("a", settings=QUICK + peer.egress) as labs:
        labs.start()
        message, token, named = "<wb:Receive><wb:Data><wb:Path>/w</wb:Path><wb:Content>eA==</wb:Content></wb:Data></wb:Receive>", labs.a.token("Receive"), new_id()
        for _ in range(2):
            assert post(labs.a, "Receive", message, named, endpoint("wsa:ReplyTo", peer.url), token=token)[0] == 202
        came = peer.next()
        assert came.text("Action") == "urn:waybill:1/ReceiveResponse" and came.text("RelatesTo") == named and came.text("Path") == "/w", came.body
        peer.quiet()
        holds(labs.a, {"/w": b"x"})
        # Deleted, and its reply kept, in one commit.
        assert post(labs.a, "Delete", "<wb:Delete><wb:Data><wb:Path>/w</wb:Path></wb:Data></wb:Delete>", new_id(), endpoint("wsa:ReplyTo", peer.url))[0] == 202
        assert peer.next().text("Action") == "urn:waybill:1/DeleteResponse"
        assert labs.a.paths() == []


def faults_go_where_they_are_told():
    with Peer() as replies, Peer() as faults:
        both = replies.egress.replace("allow = [", f'allow = ["127.0.0.1:{faults.port}", ')
        bundle = replies.folder / "both.pem"
        bundle.write_bytes(replies.certificate.read_bytes() + faults.certificate.read_bytes())
        with Labs("a", settings=QUICK + both.replace(str(replies.certificate), str(bundle))) as labs:
            labs.start()
            gone = "<wb:Describe><wb:Data><wb:Path>/gone</wb:Path></wb:Data></wb:Describe>"
            for soap in (SOAP11, SOAP12):
                named = new_id()
                to = (endpoint("wsa:ReplyTo", replies.url), endpoint("wsa:FaultTo", faults.url, '<k:K xmlns:k="urn:k">f</k:K>'))
                assert post(labs.a, "Describe", gone, named, *to, soap=soap)[0] == 202
                came = faults.next()
                assert came.text("Action") == "urn:waybill:1/Fault" and came.text("RelatesTo") == named and came.soap12 == (soap == SOAP12), came.body
                assert b"NoSuchData" in came.body and b"IsReferenceParameter" in came.body, came.body
                failed(labs.a, named, "NoSuchData")
                # Without FaultTo they go to ReplyTo.
                assert post(labs.a, "Describe", gone, new_id(), to[0], soap=soap)[0] == 202
                assert b"NoSuchData" in replies.next().body
                # FaultTo alone: replies come back, faults do not.
                assert post(labs.a, "Describe", gone, new_id(), to[1], soap=soap)[0] == 202
                assert b"NoSuchData" in faults.next().body
                assert post(labs.a, "List", "<wb:List/>", new_id(), to[1], soap=soap)[0] == 200
            # Strangers make nothing go anywhere.
            expect_fault(post(labs.a, "Describe", gone, new_id(), *to, token="AAAA"), "BadToken")
            replies.quiet()
            faults.quiet()


def failed_transfers_are_told_to_fault_to():
    with Peer() as peer, Labs("a", "b", settings=QUICK + peer.egress) as labs:
        labs.start()
        store(labs.a, "/x", b"x")
        named = begin(labs.a, copy("/x"), endpoint("wsa:ReplyTo", services(labs.b)), endpoint("wsa:FaultTo", peer.url))
        failed(labs.a, named, "NoToken")
        came = peer.next()
        assert b"NoToken" in came.body and came.text("RelatesTo") == named, came.body


def chain_of_four_with_the_receipt_at_home():
    names = ("a", "b", "c", "d", "home")
    for soap in (SOAP11, SOAP12):
        with Labs(*names, settings=QUICK) as labs:
            labs.start()
            ids = store(labs.a, "/from", BLOCK)
            last = onward(labs.home)
            to_d = onward(labs.d, last, send="Data")
            to_c = onward(labs.c, to_d, send="Data")
            named = begin(labs.a, copy((ids, "/to")), reply_to(labs.b, parameters=to_c), soap=soap)
            for name in "abc":
                wait_until(lambda: b"Succeeded" in labs[name].call("GetTransfer", f"<wb:GetTransfer><wb:MessageId>{named}</wb:MessageId></wb:GetTransfer>")[2],
                           f"the hop from {name}")
            wait_until(lambda: labs.home.call("GetTransfer", f"<wb:GetTransfer><wb:MessageId>{named}</wb:MessageId></wb:GetTransfer>")[0] == 200, "the receipt at home")
            state = succeeded(labs.home, named)
            assert state.receipt == ["/to"] and labs.d.url in state.xml.decode(), state.xml
            for name in "bcd":
                holds(labs[name], {"/to": BLOCK})
            assert labs.home.paths() == []


def chain_that_loops_back_ends():
    with pair() as labs:
        labs.start()
        ids = store(labs.a, "/from", BLOCK)
        # A, B, A, B: each layer of the envelope is one hop, and then there is nothing more to send.
        always = "<wb:Overwrite>Always</wb:Overwrite>"
        rounds = onward(labs.a, always + onward(labs.b, always, send="Data"), send="Data")
        named = begin(labs.a, copy((ids, "/to")), reply_to(labs.b, parameters=always + rounds))
        succeeded(labs.a, named)
        wait_until(lambda: listed(labs.a).count(b"<wb:Transfer>") == 2, "A's part of the second round")
        settled(labs)
        assert listed(labs.a).count(b"Succeeded") == 2 and listed(labs.b).count(b"Succeeded") == 1, listed(labs.a)
        holds(labs.b, {"/to": BLOCK})
        holds(labs.a, {"/from": BLOCK, "/to": BLOCK})


def an_instance_may_be_its_own_receiver():
    with Labs("a", settings=QUICK) as labs:
        labs.start()
        labs.a.stop()
        labs.a.settings(QUICK + '[egress]\nallow = ["127.0.0.1:%d", "127.0.0.1"]\nca_file = "%s"\n' % (labs.a.port, labs.a.certificate))
        labs.a.start()
        ids = store(labs.a, "/from", BLOCK)
        succeeded(labs.a, begin(labs.a, copy((ids, "/to")), reply_to(labs.a)))
        holds(labs.a, {"/from": BLOCK, "/to": BLOCK})


def listed(lab):
    return lab.call("ListTransfers", "<wb:ListTransfers/>")[2]


def settled(labs):
    """No transfer is under way anywhere, and none begins."""
    def states():
        return [state for name in labs.labs for state in re.findall(rb"<wb:State>([^<]*)<", listed(labs[name]))]
    wait_until(lambda: not {b"Queued", b"Active"} & set(states()), "the end of every transfer")
    before = len(states())
    time.sleep(1.5)
    assert len(states()) == before, "a chain goes on"


def copies_go_by_priority():
    """One at a time: of one caller's the higher Priority goes first, and what has no content before all that has."""
    gate = threading.Event()

    def answer(arrived):
        gate.wait(30)
        return receipt(arrived) if b"CopyResponse" in arrived.body else (202, {}, b"")

    with Peer(answer) as peer, Labs("a", settings=peer.egress + "[transfers]\nactive = 1\nlongest_pause = 1\n") as labs:
        labs.start()
        to = endpoint("wsa:ReplyTo", peer.url)
        for name in ("first", "low", "usual", "high"):
            store(labs.a, f"/{name}", b"x")
        begin(labs.a, copy("/first"), to)
        assert peer.next().text("Path") == "/first"
        names = [begin(labs.a, copy("/low", priority=1), to), begin(labs.a, copy("/usual"), to), begin(labs.a, copy("/high", priority=5), to)]
        listing = new_id()
        assert post(labs.a, "List", "<wb:List/>", listing, to)[0] == 202
        assert [transfer(labs.a, name).priority for name in (*names, listing)] == [1, 3, 5, None]
        assert listed(labs.a).count(b"<wb:Priority>") == 4
        gate.set()
        arrived = [peer.next() for _ in range(4)]
        assert b"ListResponse" in arrived[0].body and [one.text("Path") for one in arrived[1:]] == ["/high", "/usual", "/low"], [one.body for one in arrived]
        for name in names:
            succeeded(labs.a, name)
        # On the connection there is nothing to wait for; what is no priority is refused all the same.
        assert labs.a.call("Copy", copy("/low", priority=5))[0] == 200
        refused = labs.a.call("Copy", copy("/low", priority=6))
        expect_fault(refused, "InvalidMessage")
        assert b"Priority" in refused[2], refused[2]


def large_ones_are_leased():
    with Peer() as peer, Labs("a", settings=LEASED + peer.egress) as labs:
        labs.start()
        ids = store(labs.a, "/large", LARGE)
        seen = {}

        def answer(arrived):
            href = re.search(rb"<wb:Href>(https://[^<]*/lease/[0-9a-f]{64}/0)<", arrived.body)
            assert href, arrived.body[:3000]
            seen["path"] = "/lease/" + href[1].decode().split("/lease/")[1]
            seen["whole"] = labs.a.get(seen["path"])
            seen["part"] = labs.a.get(seen["path"], {"Range": "bytes=100-299"})
            seen["other"] = labs.a.get(seen["path"][:-1] + "1")
            seen["wrong"] = labs.a.get("/lease/" + "0" * 64 + "/0")
            return receipt(arrived)

        peer.answer = answer
        named = begin(labs.a, copy((ids, "/there")), endpoint("wsa:ReplyTo", peer.url))
        state = succeeded(labs.a, named)
        assert state.done == state.total == len(LARGE) and state.receipt == ["/there"], state.xml
        assert seen["whole"][0] == 200 and seen["whole"][2] == LARGE
        assert seen["part"][0] == 206 and seen["part"][2] == LARGE[100:300]
        assert seen["other"][0] == seen["wrong"][0] == 404
        assert labs.a.get(seen["path"])[0] == 404, "the lease outlives its transfer"


def leases_are_taken_by_instances():
    with pair(LEASED) as labs:
        labs.start()
        store(labs.a, "/large", LARGE)
        store(labs.a, "/larger", LARGE * 2)
        state = succeeded(labs.a, begin(labs.a, copy("/large", "/larger"), reply_to(labs.b)))
        assert state.attempts == 1, state
        holds(labs.b, {"/large": LARGE, "/larger": LARGE * 2})
        assert "/lease/" not in labs.b.call("List", "<wb:List/>")[2].decode()


def receivers_that_cannot_pull_get_the_attachment():
    with pair(LEASED) as labs:
        labs.start(introduce=False)
        labs.introduce("a", "b")
        store(labs.a, "/large", LARGE)
        state = succeeded(labs.a, begin(labs.a, copy("/large"), reply_to(labs.b)))
        assert state.attempts == 2, state
        holds(labs.b, {"/large": LARGE})
    # The same, looked at from the receiver: one message, twice.
    with Peer() as peer, Labs("a", settings=LEASED + peer.egress) as labs:
        labs.start()
        named, errors = new_id(), []

        def answer(arrived):
            if b"/lease/" in arrived.body:
                return fault(arrived, "UnresolvableData")
            errors.append(transfer(labs.a, named).error)
            return receipt(arrived)

        peer.answer = answer
        store(labs.a, "/large", LARGE)
        begin(labs.a, copy("/large"), endpoint("wsa:ReplyTo", peer.url), message_id=named)
        succeeded(labs.a, named)
        assert errors == [""], errors  # it is as it should be, and nobody is alarmed
        first, second = peer.next(), peer.next()
        assert first.text("MessageID") == second.text("MessageID") and LARGE in second.body and LARGE not in first.body
        lease = re.search(rb"(/lease/[^<]*)<", first.body)[1].decode()
        assert labs.a.get(lease)[0] == 404


def receive(path, data):
    return f"<wb:Receive><wb:Data><wb:Path>{path}</wb:Path>{data}</wb:Data></wb:Receive>"


def href(url):
    return f"<wb:Href>{url}</wb:Href>"


def pulls_from_another_instance():
    with pair() as labs:
        labs.start()
        ids = store(labs.a, "/there", LARGE)
        public = store(labs.a, "/public", BLOCK, "--public")
        token = labs.a.token("Copy", "--resource", "/there")
        reply = labs.b.call("Receive", receive("/here", href(ids) + f"<wb:Token>{token}</wb:Token>"))
        assert reply[0] == 200, reply[2]
        assert labs.b.call("Receive", receive("/public", href(public)))[0] == 200
        by_id = f"<wb:Receive><wb:Data><wb:Id>{ids}</wb:Id><wb:Path>/by-id</wb:Path><wb:Token>{labs.a.token('Copy')}</wb:Token></wb:Data></wb:Receive>"
        assert labs.b.call("Receive", by_id)[0] == 200
        # An Href that leads nowhere hides no Id with its Token.
        for number, nowhere in enumerate(("cid:gone@x", labs.b.url + "/data/" + "0" * 32, "https://127.0.0.2/x", labs.a.url + "/data/" + "0" * 32)):
            both = f"<wb:Data><wb:Id>{ids}</wb:Id><wb:Path>/both/{number}</wb:Path>{href(nowhere)}<wb:Token>{labs.a.token('Copy')}</wb:Token></wb:Data>"
            reply = labs.b.call("Receive", f"<wb:Receive>{both}</wb:Receive>")
            assert reply[0] == 200, (nowhere, reply[2])
        holds(labs.b, {"/here": LARGE, "/public": BLOCK, "/by-id": LARGE} | {f"/both/{number}": LARGE for number in range(4)})
        # Without a token it is secret; a token is good once, and for what it names.
        secret = labs.b.call("Receive", receive("/no", href(ids)))
        expect_fault(secret, "UnresolvableData")
        assert b"put a Token of that instance" in secret[2], secret[2]
        again = labs.b.call("Receive", receive("/no", href(ids) + f"<wb:Token>{token}</wb:Token>"))
        expect_fault(again, "UnresolvableData")
        assert b"TokenReplayed" in again[2], again[2]
        wrong = labs.b.call("Receive", receive("/no", href(ids) + f"<wb:Token>{labs.a.token('List')}</wb:Token>"))
        assert b"NotAllowed" in wrong[2], wrong[2]
        assert labs.b.call("Describe", "<wb:Describe><wb:Data><wb:Path>/no</wb:Path></wb:Data></wb:Describe>")[0] == 500


def pulls_plain_urls():
    content = {"/file": (200, {"Content-Type": "text/csv"}, BLOCK), "/gone": (404, {}, b"no")}
    with Peer(lambda arrived: content[arrived.path]) as peer, Labs("a", settings=QUICK + peer.egress) as labs:
        labs.start()
        base = peer.url.replace("/take", "")
        assert labs.a.call("Receive", receive("/f", href(base + "/file")))[0] == 200
        assert peer.next().method in ("GET", "HEAD")
        assert element(labs.a.call("Describe", "<wb:Describe><wb:Data><wb:Path>/f</wb:Path></wb:Data></wb:Describe>")[2], "ContentType") == "text/csv"
        wrong = receive("/g", "<wb:Size>5</wb:Size>" + href(base + "/file"))
        expect_fault(labs.a.call("Receive", wrong), "DigestMismatch")
        gone = labs.a.call("Receive", receive("/g", href(base + "/gone")))
        expect_fault(gone, "UnresolvableData")
        assert b"404" in gone[2] and b"Tried" in gone[2], gone[2]
        for refused in ("https://127.0.0.2/x", "http://127.0.0.1/x", "file:///etc/hostname", "ftp://127.0.0.1/x"):
            expect_fault(labs.a.call("Receive", receive("/g", href(refused))), "UnresolvableData")
        holds(labs.a, {"/f": BLOCK})


def many_pulls_share_connections():
    """One large pull has four connections; four at once have one each, so that they do not take every worker of who serves them."""
    content = bytes(64 << 20)
    lock, all_here = threading.Lock(), threading.Event()
    seen = {"now": 0, "most": 0, "wanted": 4}

    def answer(arrived):
        with lock:
            seen["now"] += 1
            seen["most"] = max(seen["most"], seen["now"])
            if seen["now"] >= seen["wanted"]:
                all_here.set()
        assert all_here.wait(30), "not all pulls have begun"
        time.sleep(0.3)
        with lock:
            seen["now"] -= 1
        first, last = (int(number) for number in re.fullmatch(r"bytes=(\d+)-(\d+)", arrived.headers["Range"]).groups())
        return 206, {"Content-Range": f"bytes {first}-{last}/{len(content)}", "ETag": '"one"'}, content[first:last + 1]

    with Peer(answer) as peer, Labs("a", settings=QUICK + peer.egress) as labs:
        labs.start()
        there = f"<wb:Size>{len(content)}</wb:Size>" + href(peer.url)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            replies = list(pool.map(lambda n: labs.a.call("Receive", receive(f"/{n}", there)), range(4)))
        assert all(reply[0] == 200 for reply in replies), replies
        assert seen["most"] == 4, f"four pulls had {seen['most']} connections at once"
        seen.update(most=0, wanted=1)
        assert labs.a.call("Receive", receive("/alone", there))[0] == 200
        assert 1 < seen["most"] <= 4, f"one pull had {seen['most']} connections at once"


def falls_over_in_every_combination():
    """contract.md: an attachment, then what is here, then the URL; the first that works wins, and the fault lists what was tried."""
    with Peer(lambda arrived: (200, {}, b"by url") if arrived.path == "/good" else (404, {}, b"no")) as peer:
        with Labs("a", settings=QUICK + peer.egress) as labs:
            labs.start()
            base = peer.url.replace("/take", "")
            here = store(labs.a, "/own", b"by reference")
            gone = here[:-32] + "0" * 32
            combinations = 0
            for field in ("Attachment", "Content", "Href"):
                for part in ("present", "absent", None):
                    for reference in (here, gone, None):
                        for url in (base + "/good", base + "/bad", None):
                            if field == "Href" and (url or part is None):
                                continue  # one Href cannot be two things
                            one_combination(labs.a, combinations, field, part, reference, url)
                            combinations += 1
            assert combinations == 2 * 27 + 6, combinations


def one_combination(lab, number, field, part, reference, url):
    xml = f"<wb:Id>{reference}</wb:Id>" if reference else ""
    xml += f"<wb:Path>/f/{number}</wb:Path>"
    xml += href(url) if url else ""
    if part:
        name = "one" if part == "present" else "absent"
        reference_to_part = {"Attachment": f"<wb:Attachment>cid:{name}</wb:Attachment>", "Href": href(f"cid:{name}"),
                             "Content": f'<wb:Content><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:{name}"/></wb:Content>'}[field]
        xml += reference_to_part
    message = envelope(f"<wb:Receive><wb:Data>{xml}</wb:Data></wb:Receive>", lab.token("Receive"))
    parts = [("Content-Type: text/xml", message)] + ([("Content-ID: <one>", b"by attachment")] if part == "present" else [])
    reply = lab.post(multipart(parts), related())
    good = reference is not None and not reference.endswith("0" * 32)
    wanted = b"by attachment" if part == "present" else b"by reference" if good else b"by url" if url and url.endswith("good") else None
    what = f"{field} {part}, reference {reference}, URL {url}: {reply[2]!r}"
    if wanted:
        assert reply[0] == 200, what
        assert stored(lab, f"/f/{number}") == wanted, what
        return
    expect_fault(reply, "UnresolvableData")
    tried = b" ".join(re.findall(rb"<wb:Tried>([^<]*)<", reply[2])).decode()
    assert (f"{field} &apos;cid:absent" in tried or f"{field} 'cid:absent" in tried) == (part == "absent"), what
    assert (reference is None) or reference in tried, what
    assert (url is None) or url in tried and "404" in tried, what
    assert f"/f/{number}" not in lab.paths("/f/"), what


TESTS = [copies_in_every_way, several_objects_in_one, by_reference, tokens_bound_what_a_delegate_can_do, silence_is_no_receipt,
         same_message_starts_nothing_new, transfers_are_asked_about,
         any_reply_goes_elsewhere, writes_are_done_once_and_answered_elsewhere, faults_go_where_they_are_told, failed_transfers_are_told_to_fault_to,
         chain_of_four_with_the_receipt_at_home, chain_that_loops_back_ends, an_instance_may_be_its_own_receiver, copies_go_by_priority,
         large_ones_are_leased, leases_are_taken_by_instances,
         receivers_that_cannot_pull_get_the_attachment, pulls_from_another_instance, pulls_plain_urls, many_pulls_share_connections,
         falls_over_in_every_combination]

if __name__ == "__main__":
    if "--list" in sys.argv:
        print("\n".join(test.__name__ for test in TESTS))
    else:
        main(*TESTS)
