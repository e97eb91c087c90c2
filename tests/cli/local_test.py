#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the waybill command does without any server: homes, keys, trust, grants, tokens, help, and wrong usage."""
import base64
import json
import os
import pty
import re
import select
import stat
import subprocess

from transcript import BIN, Folder
from lab import main


def openssl(folder, *arguments, stdin=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, cwd=folder.path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def two_homes(folder, *key_type):
    folder.good("--home", "server", "init", "--name", "lab", *key_type)
    folder.good("--home", "client", "init", "--name", "alice", *key_type)
    for home in ("server", "client"):
        (folder.path / f"{home}.pem").write_bytes(folder.good("--home", home, "identity", "--pem").raw)


def init_makes_a_private_home():
    with Folder() as folder:
        os.umask(0o022)
        folder.good("--home", "h", "init", "--name", "lab", "--host", "lab.example.org", "--host", "10.1.2.3")
        assert folder.files() == ["h/catalog.sqlite", "h/instance.crt", "h/instance.key"], folder.files()
        assert stat.S_IMODE((folder.path / "h").stat().st_mode) == 0o700
        assert stat.S_IMODE((folder.path / "h/instance.key").stat().st_mode) == 0o600
        text = openssl(folder, "x509", "-in", "h/instance.crt", "-noout", "-text").decode()
        assert "DNS:lab.example.org" in text and "DNS:localhost" in text and "IP Address:10.1.2.3" in text and "CN = lab" in text, text


def init_never_overwrites():
    with Folder() as folder:
        folder.good("--home", "h", "init")
        before = (folder.path / "h/instance.key").read_bytes()
        done = folder.bad(1, "--home", "h", "init")
        assert done.out == "" and "h/instance.key" in done.err, done
        assert (folder.path / "h/instance.key").read_bytes() == before


def home_is_found_in_the_usual_order():
    with Folder() as folder:
        assert folder.good("init").out and (folder.path / ".waybill/instance.key").exists()
        folder.good("init", env={"WAYBILL_HOME": "from-env"})
        assert (folder.path / "from-env/instance.key").exists()
        folder.good("init", "--home", "from-option", env={"WAYBILL_HOME": "from-env"})
        assert (folder.path / "from-option/instance.key").exists()
        done = folder.bad(1, "--home", "nowhere", "identity")
        assert "nowhere" in done.err and "init" in done.err, done
        assert not (folder.path / "nowhere").exists()


def identity_is_the_hash_of_the_key():
    with Folder() as folder:
        for kind, name in (("p256", "P-256"), ("rsa3072", "RSA-3072")):
            folder.good("--home", kind, "init", "--key-type", kind)
            shown = json.loads(folder.good("--home", kind, "identity", "--json").out)
            pem = folder.good("--home", kind, "identity", "--pem").raw
            public = openssl(folder, "x509", "-noout", "-pubkey", stdin=pem)
            digest = openssl(folder, "dgst", "-sha256", "-r", stdin=openssl(folder, "pkey", "-pubin", "-outform", "DER", stdin=public)).split()[0].decode()
            assert shown["id"] == digest and shown["keyType"] == name and shown["certificate"].encode() == pem, shown
            assert digest in folder.good("--home", kind, "identity").out


def readable_key_is_refused():
    with Folder() as folder:
        folder.good("--home", "h", "init")
        (folder.path / "h/instance.key").chmod(0o644)
        done = folder.bad(1, "--home", "h", "identity")
        assert "instance.key" in done.err, done


def trust_grant_and_their_end():
    with Folder() as folder:
        two_homes(folder)
        alice = json.loads(folder.good("--home", "client", "identity", "--json").out)["id"]
        done = folder.good("--home", "server", "trust", "client.pem", "--as", "alice")
        assert " ".join(alice[i:i + 4] for i in range(0, 64, 4)) in done.out, done
        assert [(key["alias"], key["id"], key["revoked"]) for key in json.loads(folder.good("--home", "server", "keys", "--json").out)] == [("alice", alice, False)]

        grant = json.loads(folder.good("--home", "server", "grant", "alice", "read,write", "/docs", "--expires", "30d", "--json").out)
        assert grant["principal"] == alice and grant["rights"] == ["read", "write"] and grant["prefix"] == "/docs" and "expires" in grant, grant
        folder.good("--home", "server", "grant", "alice/bob", "list", "/")
        listed = json.loads(folder.good("--home", "server", "grants", "--json").out)
        assert sorted(one["principal"] for one in listed) == [alice, alice + "/bob"], listed
        assert "alice/bob" in folder.good("--home", "server", "grants").out
        folder.good("--home", "server", "revoke", grant["id"])
        assert [one["principal"] for one in json.loads(folder.good("--home", "server", "grants", "--json").out)] == [alice + "/bob"]
        assert folder.bad(1, "--home", "server", "revoke", grant["id"]).out == ""

        folder.good("--home", "server", "revoke-key", "alice")
        assert "revoked" in folder.good("--home", "server", "keys").out
        done = folder.good("--home", "server", "trust", "client.pem", "--as", "alice")
        assert "was revoked, is trusted again" in done.err, done
        assert "revoked" not in folder.good("--home", "server", "keys").out


def trusting_again_forgets_nothing():
    with Folder() as folder:
        two_homes(folder)
        folder.good("--home", "server", "trust", "client.pem", "--as", "alice", "--url", "https://alice.example.org:8443/")
        first = json.loads(folder.good("--home", "server", "keys", "--json").out)
        done = folder.good("--home", "server", "trust", "client.pem")
        assert "revoked" not in done.err and "renamed" not in done.err, done
        again = json.loads(folder.good("--home", "server", "keys", "--json").out)
        assert [(key["alias"], key["url"]) for key in again] == [(key["alias"], key["url"]) for key in first] != [], again
        assert "renamed from 'alice'" in folder.good("--home", "server", "trust", "client.pem", "--as", "al").err

        folder.good("--home", "server", "revoke-key", "al")
        folder.good("--home", "server", "trust", "server.pem", "--as", "al")
        keys = json.loads(folder.good("--home", "server", "keys", "--json").out)
        assert sorted((key.get("alias"), key["revoked"]) for key in keys if key.get("alias")) == [("al", False)], keys
        assert sum(key["revoked"] for key in keys) == 1, keys


def trust_refuses_what_is_wrong():
    with Folder() as folder:
        two_homes(folder)
        (folder.path / "text").write_text("no certificate")
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "weak.key", "-out", "weak.pem", "-subj", "/CN=weak")
        for arguments in (["missing.pem"], ["text"], ["weak.pem"], ["client.pem", "--as", "no good"], ["client.pem", "--as", "a" * 64],
                          ["client.pem", "--fingerprint", "0" * 64], ["https://127.0.0.1:1", "--yes"]):
            done = folder.bad(1, "--home", "server", "trust", *arguments)
            assert done.out == "", done
        assert folder.good("--home", "server", "keys").out == ""
        folder.good("--home", "server", "trust", "client.pem", "--as", "alice")
        done = folder.bad(1, "--home", "server", "trust", "server.pem", "--as", "alice")
        assert "alice" in done.err, done


def fingerprints_may_be_written_in_groups():
    with Folder() as folder:
        two_homes(folder)
        shown = folder.good("--home", "client", "identity").out
        grouped = re.search(r"fingerprint  (.*)", shown).group(1)
        folder.good("--home", "server", "trust", "client.pem", "--fingerprint", grouped.upper())
        folder.good("--home", "server", "trust", "client.pem", "--fingerprint", grouped.replace(" ", ":"))


def grant_refuses_what_is_wrong():
    with Folder() as folder:
        two_homes(folder)
        folder.good("--home", "server", "trust", "client.pem", "--as", "alice")
        for code, *arguments in ((1, "bob", "read", "/"), (1, "alice", "read", "/a//b"), (1, "alice", "read", "/../etc"), (2, "alice", "reed", "/"), (2, "alice", "", "/"),
                                 (2, "alice", "read", "/", "--expires", "soon"), (2, "alice", "read", "/", "--expires", "0s")):
            done = folder.bad(code, "--home", "server", "grant", *arguments)
            assert done.out == "", done
        assert folder.good("--home", "server", "grants").out == ""


def opened_by_openssl(folder, token, recipient, signer):
    """The claims, by the commands of docs/tokens.md."""
    (folder.path / "3").write_bytes(base64.b64decode(token, validate=True))
    openssl(folder, "cms", "-verify", "-binary", "-inform", "DER", "-in", "3", "-noverify", "-nointern", "-certfile", signer, "-out", "2")
    openssl(folder, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "2", "-inkey", f"{recipient}/instance.key", "-recip", f"{recipient}/instance.crt", "-out", "1")
    return openssl(folder, "cms", "-verify", "-binary", "-inform", "DER", "-in", "1", "-noverify", "-nointern", "-certfile", signer).decode()


def token_is_opened_by_openssl():
    for kind in ("p256", "rsa3072"):
        with Folder() as folder:
            two_homes(folder, "--key-type", kind)
            done = folder.good("--home", "client", "token", "--audience", "server.pem", "--operation", "Copy,List", "--resource", "/docs/", "--resource", "/a.txt",
                               "--reply-to", "https://elsewhere:1/x?a=1&b=2", "--subject", "bob", "--lifetime", "30m")
            assert done.out.count("\n") == 1 and done.err == "", done
            claims = opened_by_openssl(folder, done.out.strip(), "server", "client.pem")
            order = re.findall(r"<(?:\w+:)?(Id|Issuer|Audience|Subject|Operation|Resource|ReplyTo|NotBefore|NotAfter)>", claims)
            assert order == ["Id", "Issuer", "Audience", "Subject", "Operation", "Operation", "Resource", "Resource", "ReplyTo", "NotBefore", "NotAfter"], claims
            assert ">/docs<" in claims and ">bob<" in claims and "a=1&amp;b=2" in claims, claims
            shown = json.loads(folder.good("--home", "client", "token", "--audience", "server.pem", "--operation", "Copy", "--json").out)
            assert f">{shown['id']}<" in opened_by_openssl(folder, shown["token"], "server", "client.pem")
            assert shown["token"] != done.out.strip() and len(shown["id"]) == 32


def token_names_its_audience_in_each_way():
    with Folder() as folder:
        two_homes(folder)
        server = json.loads(folder.good("--home", "server", "identity", "--json").out)["id"]
        folder.good("--home", "client", "trust", "server.pem", "--as", "lab", "--url", "https://lab.example.org:8443/")
        for audience in ("lab", server, "https://lab.example.org:8443", "https://lab.example.org:8443/services/data", "server.pem"):
            shown = json.loads(folder.good("--home", "client", "token", "--audience", audience, "--operation", "Copy", "--json").out)
            assert shown["audience"] == server, (audience, shown)
        for audience in ("bal", "https://lab.example.org:84430", "https://lab.example.org", "0" * 64):
            assert "trust" in folder.bad(1, "--home", "client", "token", "--audience", audience, "--operation", "Copy").err


def remote_commands_need_a_trusted_instance():
    with Folder() as folder:
        two_homes(folder)
        (folder.path / "file").write_text("x")
        folder.good("--home", "client", "trust", "server.pem", "--as", "keyonly")
        for arguments in (["put", "file", "lab:/"], ["get", "lab:/x"], ["ls", "lab:/"], ["stat", "lab:/x"], ["rm", "lab:/x"], ["ls", "https://other.example:1/"]):
            assert "waybill trust" in folder.bad(1, "--home", "client", *arguments).err, arguments
        assert "URL" in folder.bad(1, "--home", "client", "ls", "keyonly:/").err
        for name in ("lab", "lab:x", "http://lab:1/", "./a:/b", "https:///x", "https://user@lab:1/"):
            folder.bad(2, "--home", "client", "ls", name)
        # a server that is not there: named, with what to do
        folder.good("--home", "client", "trust", "server.pem", "--as", "gone", "--url", "https://127.0.0.1:1")
        done = folder.bad(1, "--home", "client", "ls", "gone:/")
        assert "https://127.0.0.1:1" in done.err and "running" in done.err, done


def wrong_usage_is_exit_2():
    with Folder() as folder:
        folder.good("init")
        for arguments in ([], ["frobnicate"], ["put"], ["put", "x"], ["get"], ["grant", "alice"], ["token"], ["token", "--audience", "x"], ["ls", "--frob", "a:/"],
                          ["init", "--key-type", "dsa"], ["completion", "tcsh"], ["put", "a", "lab:/x", "--overwrite", "perhaps"], ["put", "a", "b", "lab:/notafolder"],
                          ["put", "-", "lab:/folder/"], ["put", "-", "x", "lab:/folder/"], ["put", "a", "lab:/x", "--metadata", "novalue"], ["identity", "extra"]):
            done = folder.bad(2, *arguments)
            assert done.out == "" and "--help" in done.err, (arguments, done)
        for arguments, words in ((["put", "--overwrite", "perhaps", "a", "lab:/x"], "never, always, if-different"), (["copy", "--overwrite", "perhaps", "a:/x", "b:/x"], "never, always, if-different"),
                                 (["init", "--key-type", "dsa"], "p256, rsa3072"), (["completion", "tcsh"], "bash, zsh, fish"), (["jobs", "--state", "odd"], "Queued, Active, ")):
            done = folder.bad(2, *arguments)
            assert re.search(rf"^waybill: {arguments[0]}: [-A-Za-z]+: '[a-z]+' is not one of {words}", done.err), (arguments, done)


def commands():
    with Folder() as folder:
        return re.findall(r"^  ([a-z-]+) {2,}", folder.good("--help").out.split("Subcommands:")[1], re.M)


def every_help_has_an_example():
    names = commands()
    assert {"init", "identity", "trust", "keys", "revoke-key", "grant", "grants", "revoke", "put", "get", "ls", "stat", "rm", "token", "completion"} <= set(names), names
    with Folder() as folder:
        for name in names:
            done = folder.good(name, "--help")
            assert "Example:\n  " in done.out and f"Usage: waybill {name} [OPTIONS]" in done.out and done.err == "", (name, done)
        assert "waybill 0." in folder.good("--version").out


def completion_knows_every_command_and_option():
    with Folder() as folder:
        options = {name: set(re.findall(r"(--[a-z-]+)", folder.good(name, "--help").out.split("Options:")[1].split("\n\n")[0])) for name in commands()}
        for shell in ("bash", "zsh", "fish"):
            script = folder.good("completion", shell).out
            for name, known in options.items():
                assert name in script, (shell, name)
                for option in known:
                    assert (f"-l {option[2:]} " if shell == "fish" else option) in script, (shell, name, option)
            done = subprocess.run([shell, "-n"], input=script.encode(), capture_output=True, timeout=60)
            assert done.returncode == 0 and not done.stderr, (shell, done)


def completed_by_bash(script, line):
    words = line.split(" ")
    ask = f"COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}; _waybill; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "--norc", "-c", f"compopt() {{ :; }}; complete() {{ :; }}; {script}\n{ask}"], capture_output=True, timeout=60)
    assert not done.stderr, done
    return set(done.stdout.decode().split())


def completed_by_zsh(script, line):
    """What zsh offers at the end of the line, in a real one on a terminal; an invalid definition is a message there."""
    with Folder() as folder:
        (folder.path / "script").write_text(script)
        (folder.path / "afile").write_text("")
        (folder.path / "afolder").mkdir()
        # Everything that is offered goes through compadd.
        (folder.path / "setup").write_text("""
            autoload -Uz compinit && compinit -u -D
            source ./script
            compadd() {
              local -a hits
              if [[ " $* " != *" -O "* && " $* " != *" -A "* && " $* " != *" -D "* ]]; then builtin compadd -A hits "$@"; print -rl -- $hits >>hits; fi
              builtin compadd "$@"
            }
            zstyle ':completion:*' format 'MESSAGE %d'
            ask() { zle list-choices; print -r -- ENDED; exit }
            zle -N ask && bindkey '^X' ask
            PS1='READY> '
        """)
        master, slave = pty.openpty()
        process = subprocess.Popen(["zsh", "-f", "-i"], cwd=folder.path, env={**folder.environment(), "TERM": "dumb"}, stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True)
        os.close(slave)
        seen = b""

        def until(mark):
            nonlocal seen
            while mark not in seen:
                assert select.select([master], [], [], 60)[0], seen
                try:
                    seen += os.read(master, 4096)
                except OSError:  # how a terminal says that nobody writes to it any more
                    break

        os.write(master, b"source ./setup\n")
        until(b"READY> ")
        os.write(master, line.encode() + b"\x18")
        until(b"ENDED")
        process.terminate()
        process.wait(timeout=60)
        os.close(master)
        assert b"ENDED" in seen and b"invalid" not in seen and b"_arguments" not in seen and b"not found" not in seen, seen.decode()
        hits = folder.path / "hits"
        return set(hits.read_text().split()) if hits.exists() else set()


def completed_by_fish(script, line):
    with Folder() as folder:
        (folder.path / "script").write_text(script)
        (folder.path / "afile").write_text("")
        (folder.path / "afolder").mkdir()
        done = subprocess.run(["fish", "--no-config", "-c", f"source script; complete -C '{line}'"], cwd=folder.path, env=folder.environment(), capture_output=True,
                              timeout=60)
        assert not done.stderr, done
        return {one.split("\t")[0] for one in done.stdout.decode().splitlines()}


def completion_works_in_real_shells():
    with Folder() as folder:
        names = set(commands())
        for shell, completed in (("bash", completed_by_bash), ("zsh", completed_by_zsh), ("fish", completed_by_fish)):
            script = folder.good("completion", shell).out
            assert names <= completed(script, "waybill "), shell
            assert completed(script, "waybill gr") >= {"grant", "grants"}, shell
            assert "--overwrite" in completed(script, "waybill put --over"), shell
            assert completed(script, "waybill put --overwrite ") == {"never", "always", "if-different"}, (shell, completed(script, "waybill put --overwrite "))
            assert completed(script, "waybill --home x init --key-type ") == {"p256", "rsa3072"}, shell
            assert completed(script, "waybill transfers ") == {"show", "cancel"}, shell
            assert completed(script, "waybill completion ") == {"bash", "zsh", "fish"}, shell
            assert not completed(script, "waybill put --expires "), shell
            for name in names:  # every command's definition is read
                assert "--help" in completed(script, f"waybill {name} --he"), (shell, name)
            if shell != "bash":  # whose files come from readline
                assert completed(script, "waybill put af") >= {"afile"}, shell
                folders = completed(script, "waybill --home af")
                assert "afile" not in folders and any(one.rstrip("/") == "afolder" for one in folders), (shell, folders)


def man_page_is_sound():
    with Folder() as folder:
        (folder.path / "help").write_bytes(subprocess.run([BIN / "waybilld", "--help"], capture_output=True, timeout=60).stdout)
        for arguments in (["man"], ["man", "--of", "help"]):
            page = folder.good(*arguments).raw
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-"], input=page, capture_output=True, timeout=60, env={**os.environ, "MANWIDTH": "100"})
            assert done.returncode == 0 and done.stderr == b"", done.stderr.decode()
            assert b"--home" in done.stdout and b"NAME" in done.stdout, done.stdout[:2000]
        page = folder.good("man").out
        for name in commands():
            assert f".SH waybill {name}".replace("-", "\\-") in page, name
            assert re.search(rf"\.TP\n\.B {re.escape(name)}\n", page.replace("\\-", "-")), f"{name} is not in the list of commands"
        general = page[:page.index(".SH waybill init")].replace("\\-", "-")
        for part in ("--home DIR", "--json", "-q,--quiet", "--version", "waybill [OPTIONS] COMMAND", "Exit codes: 0 done"):
            assert part in general, (part, general)
        assert ".B waybill init [OPTIONS]" in page.replace("\\-", "-") and "init init" not in page, page


def full_output_is_an_error():
    with Folder() as folder:
        folder.good("init")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BIN / "waybill", "identity"], stdout=full, stderr=subprocess.PIPE, cwd=folder.path, env=folder.environment(), timeout=60)
        assert done.returncode == 1 and b"standard output" in done.stderr, done


def hostile_names_do_no_harm_to_the_terminal():
    with Folder() as folder:
        folder.good("init")
        done = folder.bad(1, "ls", "\x1b]0;evil\x07:/x")
        assert "\x1b" not in done.err and "\x07" not in done.err, done


def tokens_that_can_never_work_are_refused():
    with Folder() as folder:
        folder.good("--home", "client", "init")
        folder.good("--home", "server", "init")
        (folder.path / "server.pem").write_bytes(folder.good("--home", "server", "identity", "--pem").raw)
        for bad in (["--operation", "copy"], ["--operation", "Copy", "--resource", "docs"], ["--operation", "Copy", "--reply-to", "nowhere"]):
            assert bad[-1] in folder.bad(2, "--home", "client", "token", "--audience", "server.pem", *bad).err


def an_unknown_command_is_named():
    with Folder() as folder:
        assert "no command 'lss'" in folder.bad(2, "lss").err


if __name__ == "__main__":
    main(tokens_that_can_never_work_are_refused, an_unknown_command_is_named, init_makes_a_private_home, init_never_overwrites, home_is_found_in_the_usual_order, identity_is_the_hash_of_the_key, readable_key_is_refused,
         trust_grant_and_their_end, trusting_again_forgets_nothing, trust_refuses_what_is_wrong, fingerprints_may_be_written_in_groups, grant_refuses_what_is_wrong,
         token_is_opened_by_openssl, token_names_its_audience_in_each_way, remote_commands_need_a_trusted_instance, wrong_usage_is_exit_2,
         every_help_has_an_example, completion_knows_every_command_and_option, completion_works_in_real_shells, man_page_is_sound, full_output_is_an_error,
         hostile_names_do_no_harm_to_the_terminal)
