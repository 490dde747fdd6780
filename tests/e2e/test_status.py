# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mount says of itself in .mailmount, which no copy of the tree ever holds."""

import json
import os
import re
import signal
import stat
import subprocess

import pytest

from corpus import Corpus, connect
from dovecot import PASSWORD, DovecotServer, wait_for
from mount import BINARY, ROOT, SLOW, ordinary_user, sh, uid_of
from proxy import Proxy
from tree import snapshot

TIMEOUT = 5


def status_of(mounted):
    return json.loads((mounted.path / ".mailmount" / "status").read_bytes())


@pytest.fixture
def small(mount, proxy):
    """A mount of the small account."""
    return mount(proxy, user="small", options={"timeout": TIMEOUT})


# Hidden.

def test_it_is_found_by_name_and_never_listed(small):
    assert ".mailmount" not in os.listdir(small.path)
    assert stat.S_IMODE(os.stat(small.path / ".mailmount").st_mode) == 0o500
    assert sorted(os.listdir(small.path / ".mailmount")) == ["status", "summary"]
    assert stat.S_IMODE(os.stat(small.path / ".mailmount" / "status").st_mode) == 0o400
    for name in (".mailmount", "status"):
        with pytest.raises(FileNotFoundError):
            os.stat(small.path / "INBOX" / name)
    with pytest.raises(FileNotFoundError):
        os.stat(small.path / ".mailmount" / "other")
    with pytest.raises(FileNotFoundError):
        os.stat(small.path / "status")


@pytest.mark.parametrize("copy", ["rsync -aX mnt/ copy/", "cp -a mnt/. copy/", "tar -C mnt -cf - . | tar -C copy -xf -"])
def test_no_copy_holds_it(small, tmp_path, copy):
    status_of(small)
    (tmp_path / "copy").mkdir()
    (tmp_path / "mnt").symlink_to(small.path)
    sh(copy, cwd=tmp_path)
    copied = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*")}
    assert len(copied) > 50
    assert not {path for path in copied if ".mailmount" in path}


def test_find_du_and_a_second_rsync_do_not_see_it(small, tmp_path):
    before = snapshot(small.path)
    sh(["rsync", "-a", f"{small.path}/", tmp_path / "copy"])
    status_of(small)
    assert sh(["find", small.path, "-name", "*mailmount*"]).out == ""
    assert ".mailmount" not in sh(["du", "-a", small.path]).out
    assert sh(["rsync", "-a", "--delete", "--itemize-changes", f"{small.path}/", tmp_path / "copy"]).out == ""
    assert snapshot(small.path) == before


def test_a_mail_folder_of_that_name_is_another(mount, place):
    corpus = Corpus(seed=3)
    corpus.ordinary((".mailmount",), 3)
    with DovecotServer(users={"user": PASSWORD}, escape_names=True) as server:
        server.stop()
        corpus.write(server.mail_dir("user"))
        server.start()
        mounted = mount(server)
        assert len(os.listdir(mounted.path / "%2Emailmount")) == 3
        assert status_of(mounted)["account"] == "user@127.0.0.1"
        mounted.unmount()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_nobody_else_may_look_into_it(mount, proxy):
    mounted = mount(proxy, user="small", options={"allow_other": True})
    other = ordinary_user()
    wait_for(lambda: sh(["ls", mounted.path / "INBOX"], user=other, check=False).out, 10 * SLOW, "to be let in")
    assert sh(["ls", mounted.path / ".mailmount"], user=other, check=False).returncode != 0
    assert sh(["cat", mounted.path / ".mailmount" / "status"], user=other, check=False).out == ""
    read_attribute = "import os, sys; print(os.getxattr(sys.argv[1], 'user.mailmount.status'))"
    result = sh(["/usr/bin/python3", "-c", read_attribute, mounted.path], user=other, check=False)
    assert result.out == "" and "PermissionError" in result.err


# What it says.

def test_any_program_can_read_it(small, tmp_path):
    path = small.path / ".mailmount" / "status"
    assert json.loads(sh(["cat", path]).out)["healthy"] is True
    sh(["cp", "-a", path, tmp_path / "copied"])
    assert json.loads((tmp_path / "copied").read_bytes())["account"] == "small@127.0.0.1"
    sh(["rsync", "-a", path, tmp_path / "synchronised"])
    assert json.loads((tmp_path / "synchronised").read_bytes())["state"] == "online"
    with open(path, "rb") as file:
        assert os.fstat(file.fileno()).st_size == len(file.read())
    assert "small@127.0.0.1" in (small.path / ".mailmount" / "summary").read_text(encoding="utf-8")


def test_the_root_has_it_as_attributes_that_are_not_listed(small):
    assert json.loads(os.getxattr(small.path, "user.mailmount.status"))["account"] == "small@127.0.0.1"
    assert b"small@127.0.0.1" in os.getxattr(small.path, "user.mailmount.summary")
    assert os.listxattr(small.path) == []
    for path, name in ((small.path, "user.mailmount.other"), (small.path / "INBOX", "user.mailmount.status")):
        with pytest.raises(OSError):
            os.getxattr(path, name)


def test_each_open_tells_of_that_moment_and_each_handle_its_own(small):
    with open(small.path / ".mailmount" / "status", "rb") as first:
        beginning = first.read(10)
        sh(["cat", *(small.path / "INBOX" / name for name in os.listdir(small.path / "INBOX"))])
        second = status_of(small)
        rest = json.loads(beginning + first.read())
    assert rest["throughput"]["received_octets"] < second["throughput"]["received_octets"]


def test_it_counts_what_crosses_the_wire(small, proxy):
    for name in os.listdir(small.path / "INBOX"):
        (small.path / "INBOX" / name).read_bytes()
    wait_for(lambda: status_of(small)["throughput"]["received_octets"] == proxy.octets_to_client, 10 * SLOW,
             "the same count on both sides")
    status = status_of(small)
    assert 0 < status["throughput"]["recent_octets"] <= status["throughput"]["received_octets"]
    assert len(status["connections"]) == proxy.live()
    assert status["last_contact"] is not None and status["last_error"] is None


def test_it_tells_the_folders_and_when_they_were_compared(small, small_corpus):
    os.listdir(small.path / "Lists" / "many")
    folders = {folder["path"]: folder for folder in status_of(small)["folders"]}
    assert set(folders) >= {"INBOX", "Lists/many", "Archive/2019", "Empty"}
    listed = folders["Lists/many"]
    assert listed["listed"] is True and listed["compared"] is not None
    assert listed["messages"] == len(small_corpus.folders[("Lists", "many")].messages)
    assert folders["Archive/2019"]["listed"] is False and folders["Archive/2019"]["compared"] is None


def test_the_cache_is_told(small):
    messages = list(map(os.fspath, (small.path / "Lists" / "many").iterdir()))
    cache = status_of(small)["cache"]
    assert cache["messages"] == 0 and cache["lacking"] is None
    assert cache["directory"] == str(small.place.cache) and cache["cache_size"] == 2 << 30
    sh(["cat", *messages])
    wait_for(lambda: status_of(small)["cache"]["messages"] >= len(messages), 20 * SLOW, "all to be stored")
    assert status_of(small)["cache"]["octets"] >= sum(os.stat(path).st_size for path in messages)
    folders = {folder["path"]: folder["cached"] for folder in status_of(small)["folders"]}
    assert folders["Lists/many"] == len(messages) and folders["Empty"] == 0


def test_limits_are_told(mount, proxy):
    mounted = mount(proxy, user="small", options={"bandwidth": "500K", "daily_limit": "100M"})
    sh(["cat", *(mounted.path / path for path in mounted.files()[:5])])
    status = status_of(mounted)
    assert status["throughput"]["bandwidth"] == 500 << 10
    day = status["daily_limit"]
    assert day["limit_octets"] == 100 << 20 == day["used_today_octets"] + day["left_octets"]
    assert day["used_today_octets"] > 0 and day["given_back"] > status["mounted"]
    summary = command(mounted.path).out
    assert re.search(r"bandwidth +512.*/s", summary) and re.search(r"daily limit .* left; .* in \d+ minutes", summary)


def test_watches_are_told(small):
    os.listdir(small.path / "Lists" / "many")

    def watches():
        return {(one["watch"], one["watched"]) for one in status_of(small)["connections"] if one["watch"]}

    wait_for(lambda: watches() in ({("notify", None)}, {("idle", "INBOX"), ("idle", "Lists/many")}), 30 * SLOW,
             "the server to tell of changes")
    assert re.search(r"watched +(all folders, by NOTIFY|.*INBOX.*, by IDLE)\n", command(small.path).out)


def test_people_see_each_folder(small, small_corpus):
    os.listdir(small.path / "Lists" / "many")
    n = len(small_corpus.folders[("Lists", "many")].messages)
    out = command(small.path).out
    assert re.search(rf"^  Lists/many +{n} +0  (now|\d+ seconds? ago)$", out, re.M), out
    assert re.search(r"^  Archive/2019 +\d+ +0  never$", out, re.M), out


def test_read_ahead_is_told(small):
    sh(["rsync", "-a", f"{small.path}/Lists/", f"{small.place.directory}/copy"])
    ahead = status_of(small)["read_ahead"]
    assert ahead["fetched_octets"] == ahead["used_octets"] + ahead["waiting_octets"] + ahead["unused_octets"]
    assert ahead["used_octets"] > 0
    assert ahead["hits"] + ahead["misses"] == 30
    assert ahead["hits"] >= 25


def test_read_ahead_counts_what_came_not_what_was_asked_for(small, proxy):
    rule = proxy.when(lambda command: command.fetches_body, "cut", times=1000)
    sh(["rsync", "-a", f"{small.path}/Lists/", f"{small.place.directory}/copy"], check=False)
    assert rule.fired
    ahead = status_of(small)["read_ahead"]
    assert (ahead["fetched_octets"], ahead["used_octets"], ahead["unused_octets"], ahead["hits"]) == (0, 0, 0, 0)


def test_a_message_that_cannot_be_fetched_is_named_until_it_can(small, proxy):
    names = sorted(os.listdir(small.path / "INBOX"))
    victim = names[6]
    number = uid_of(victim)
    rule = proxy.when(rf"^UID FETCH \S*\b{number}\b.*BODY", "cut", times=1000)
    with pytest.raises(OSError):
        (small.path / "INBOX" / victim).read_bytes()
    assert rule.fired
    status = status_of(small)
    assert status["healthy"] is False
    failed, = status["failed"]
    assert failed["path"] == f"INBOX/{number}.eml" and failed["error"] == "connection-lost" and failed["reason"]
    assert status["errors"]["messages"]["connection-lost"] >= 1
    assert status["errors"]["connections"]["connection-lost"] >= 1
    assert failed["path"] in (small.path / ".mailmount" / "summary").read_text(encoding="utf-8")
    for name in names[:3]:
        assert (small.path / "INBOX" / name).read_bytes()
    proxy.clear()
    assert (small.path / failed["path"]).read_bytes()
    status = status_of(small)
    assert status["failed"] == [] and status["healthy"] is True
    assert status["errors"]["messages"]["connection-lost"] >= 1


def test_a_message_that_is_gone_troubles_nobody(mount, own_server):
    with Proxy(own_server.imap_port) as proxy:
        mounted = mount(proxy, user="small", options={"timeout": TIMEOUT})
        victim = mounted.path / "Sent" / sorted(os.listdir(mounted.path / "Sent"))[1]
        proxy.when(lambda command: command.fetches_body, "cut", times=1000)
        with pytest.raises(OSError):
            victim.read_bytes()
        proxy.clear()
        assert len(status_of(mounted)["failed"]) == 1
        connection = connect(own_server, "small")
        connection.select("Sent")
        connection.uid("STORE", str(uid_of(victim)), "+FLAGS", r"(\Deleted)")
        connection.expunge()
        connection.logout()
        with pytest.raises(OSError):
            victim.read_bytes()
        wait_for(lambda: len(os.listdir(mounted.path / "Sent")) == 2, 30 * SLOW, "a listing without the message")
        status = status_of(mounted)
        assert status["failed"] == [] and status["healthy"] is True
        mounted.unmount()


def test_paths_are_those_below_the_mount_point(mount, proxy):
    mounted = mount(proxy, user="small", folder="/Lists", options={"timeout": TIMEOUT})
    victim = sorted(os.listdir(mounted.path / "many"))[4]
    proxy.when(lambda command: command.fetches_body, "cut", times=1000)
    with pytest.raises(OSError):
        (mounted.path / "many" / victim).read_bytes()
    proxy.clear()
    status = status_of(mounted)
    failed, = status["failed"]
    assert (mounted.path / failed["path"]).samefile(mounted.path / "many" / victim)
    assert [folder["path"] for folder in status["folders"]] == ["many"]


def keys_of(value):
    if isinstance(value, dict):
        return set(value) | {key for part in value.values() for key in keys_of(part)}
    return {key for part in value for key in keys_of(part)} if isinstance(value, list) else set()


def test_the_man_page_names_every_key(small, proxy):
    proxy.when(lambda command: command.fetches_body, "cut", times=1000)
    with pytest.raises(OSError):
        for name in os.listdir(small.path / "INBOX"):
            (small.path / "INBOX" / name).read_bytes()
    status = status_of(small)
    assert status["failed"] and status["folders"] and status["errors"]["messages"]
    status["errors"] = {kind: {} for kind in status["errors"]}  # the names of errors are not keys of the format
    manual = (ROOT / "man" / "mailmount.1").read_text(encoding="utf-8")
    section = re.search(r"^\.SS What a mount says of itself$.*?(?=^\.SS )", manual, re.M | re.S)[0]
    words = set(re.findall(r"[a-z_]+", section))
    assert keys_of(status) - words == set()


def test_it_is_told_when_the_server_is_away(small, proxy):
    proxy.refuse()
    with pytest.raises(OSError):
        for name in sorted(os.listdir(small.path / "Sent")):
            (small.path / "Sent" / name).read_bytes()
    status = status_of(small)
    assert status["state"] == "offline" and status["healthy"] is False
    assert status["last_error"] and status["last_contact"] is not None and status["next_try"] is not None
    proxy.accept_again()
    wait_for(lambda: sh(["grep", "-rc", "marker", small.path / "Sent"], check=False).returncode == 0, 60 * SLOW,
             "the server")
    assert status_of(small)["state"] == "online"


def jobs_of(status):
    """At work and waiting."""
    return sum(one["jobs"] for one in status.get("connections", [])) + status.get("queue", {}).get("demand", 0)


def test_it_answers_while_the_server_is_silent(small, proxy):
    """Also while a lookup waits in the root: who has to look a name up there may wait behind it."""
    def told():
        return json.loads(command("--json", small.path).out)[0]

    proxy.stall()
    reader = subprocess.Popen(["ls", small.path / "Sent"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: jobs_of(told()) > 0, 10 * SLOW, "a job")
        for _ in range(3):
            assert told()["state"] != "silent"
            assert command(small.path).out.startswith("imap://small@127.0.0.1:")
            assert reader.poll() is None
    finally:
        proxy.go_on()
        reader.wait(60)


def test_offline_by_choice_is_told_and_is_no_trouble(mount, proxy, small):
    os.listdir(small.path / "INBOX")
    small.unmount()
    proxy.refuse()
    mounted = mount(proxy, user="small", options={"offline": True})
    status = status_of(mounted)
    assert (status["state"], status["healthy"], status["connections"]) == ("off", True, [])


# The command.

def command(*arguments, user=None):
    return sh([BINARY, "status", *arguments], check=False, timeout=30, user=user)


def test_the_command_tells_a_mount_for_people_and_for_programs(small):
    result = command(small.path)
    assert result.returncode == 0 and result.err == ""
    assert result.out.startswith(f"imap://small@127.0.0.1:") and f" on {small.path}\n" in result.out
    assert "online" in result.out
    told, = json.loads(command("--json", small.path).out)
    assert told["mountpoint"] == str(small.path) and told["healthy"] is True


def test_a_path_below_stands_for_its_mount(small):
    result = command("--json", small.path / "Lists" / "many", small.path, small.path / "no-such-folder")
    told, = json.loads(result.out)
    assert told["mountpoint"] == str(small.path) and result.returncode == 0


def test_without_a_mount_point_it_tells_all_of_the_user(small):
    assert str(small.path) in [told["mountpoint"] for told in json.loads(command("--json").out)]


def test_its_exit_status_is_for_scripts(small, proxy, tmp_path):
    assert command(tmp_path).returncode == 2
    assert command("--no-such-option").returncode == 2
    assert command("--help").returncode == 0
    assert command(small.path).returncode == 0
    proxy.refuse()
    with pytest.raises(OSError):
        for name in os.listdir(small.path / "Sent"):
            (small.path / "Sent" / name).read_bytes()
    result = command(small.path)
    assert result.returncode == 1 and "offline" in result.out


def test_a_mount_that_does_not_answer_is_told_and_not_waited_for(small):
    link = small.place.directory / "link"
    link.symlink_to(small.path)
    small.signal(signal.SIGSTOP)
    try:
        result = command(link)
        silent, = json.loads(command("--json", small.path).out)
    finally:
        small.signal(signal.SIGCONT)
    assert result.returncode == 1
    assert "does not answer" in result.out and "fusermount3 -u" in result.out
    assert silent["state"] == "silent" and silent["healthy"] is False
    assert status_of(small)["healthy"] is True


def test_a_mount_that_died_is_told(small):
    small.signal(signal.SIGKILL)
    small.process.wait(10)
    result = command(small.path)
    assert result.returncode == 1 and "does not answer" in result.out
    small.kill()
