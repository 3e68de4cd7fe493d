"""The service in good days: start, status, files, journal, reload, stop, credentials."""

import re

from machine import Simulator, difference, expect, wait
from suite import Skip, suite

UNIT = "box-eventd"
CONFIG = "/etc/box-eventd/box-eventd.toml"
SECRET = "/etc/credstore/box-eventd.client-secret"


def configuration(streams="", auth="", spool=""):
    return f"""
[box]
api_url = "{Simulator.API}"
token_url = "{Simulator.TOKEN}"
realtime_hosts = ["localhost", "127.0.0.1"]
[auth]
client_id = "simulator-client"
subject = "user:123"
{auth}
[spool]
segment_size = "64KiB"
{spool}
[[stream]]
name = "default"
start = "oldest"
{streams}
"""


def all_spooled(world, stream="default", user="123", spool="/var/spool/box-eventd", seconds=30):
    """Waits until every event is in the spool, once."""
    problem = ["nothing was compared"]

    def same():
        problem[0] = difference(world.machine.spooled(stream, spool), world.simulator.ledger(user))
        return not problem[0]

    try:
        wait("the spool to be complete", same, seconds, step=0.3)
    except Exception as error:
        expect(False, f"{stream}: {problem[0]}: {error}")


def reloads(world, since, unit=UNIT):
    """The journal's entries about a reload."""
    return world.machine.journal(f"-u {unit} MESSAGE_ID=47b06ea47d394713a6b56fee1099c9c9", since)


def reloads_in_order(world, unit, file):
    """A reload is taken, is refused visibly for a broken file, and is taken again; nothing is restarted."""
    machine = world.machine
    good, pid, since = machine.run(f"cat {file}"), machine.property(unit, "MainPID"), machine.now()

    def taken(count):
        machine.run(f"systemctl reload {unit}")
        wait("the reload", lambda: len(reloads(world, since, unit)) >= count, 10)

    taken(1)
    machine.write(file, good + "\nsegmnt_size = 1\n")
    status, out = machine.status_of(f"systemctl reload {unit}")
    expect(status != 0 and "failed" in out, f"the reload of a broken {file} succeeded: {out}")
    expect(any(file in text and "segmnt_size" in text for text in machine.messages(unit, since)), "no reason is logged")
    machine.write(file, good)
    taken(2)
    expect(machine.property(unit, "MainPID") == pid, "it was restarted")


@suite.test("a refused sign-in is shown, and tried again: the service stays up")
def refused(world):
    world.machine.write(CONFIG, configuration())
    world.machine.write(SECRET, "wrong-secret\n", "0600")
    world.machine.run(f"systemctl start {UNIT}")
    text = wait("the refusal in the status", lambda: re.search(
        ".*Compare client_id and the client secret.*", world.machine.property(UNIT, "StatusText")), 20)
    print(f"          {text[0]}")
    state = world.machine.show(UNIT, "ActiveState", "NRestarts")
    expect(state == {"ActiveState": "active", "NRestarts": "0"}, state)
    world.machine.run(f"systemctl stop {UNIT}")


@suite.test("box-eventd check, from a shell and before the first start, sees what the unit will see")
def checked(world):
    machine = world.machine
    expect(machine.run("stat -c '%a %U' /etc/credstore").strip() == "700 root", "/etc/credstore")
    machine.write(SECRET, "simulator-secret\n", "0600")
    machine.write("/etc/box-eventd/work.toml", configuration())
    machine.write("/etc/credstore/box-eventd@work.client-secret", "simulator-secret\n", "0600")
    for file in (CONFIG, "/etc/box-eventd/work.toml"):
        out = machine.run(f"box-eventd check --online --config {file}")
        expect("ok      client-secret" in out, out)
        expect("PROBLEM" not in out and "Box answers" in out, out)
    expect(not machine.run("ls /dev/shm").strip(), "a copy of a secret is left")
    expect(not machine.run("find /var/lib/box-eventd -user root").strip(), "files of root in the state")
    machine.run("rm /etc/box-eventd/work.toml /etc/credstore/box-eventd@work.client-secret")


@suite.test("a plain credential in /etc/credstore is enough: enabled, started, streaming")
def started(world):
    world.machine.run(f"systemctl reset-failed {UNIT}; systemctl enable --now {UNIT}")
    expect(world.machine.property(UNIT, "ActiveState") == "active", "not active")
    all_spooled(world)
    reloads_in_order(world, UNIT, CONFIG)
    # Nothing of it in the unit's environment, its log or its status.
    out = world.machine.run(f"systemctl show {UNIT}; journalctl -u {UNIT}; systemctl status {UNIT}")
    expect("simulator-secret" not in out, "the secret is shown")


@suite.test("a second daemon on the same spool ends with 75 and names the first")
def second(world):
    status, out = world.machine.status_of(
        "CREDENTIALS_DIRECTORY=/tmp/credentials; export CREDENTIALS_DIRECTORY; "
        "install -d -o box-eventd /tmp/credentials && install -o box-eventd -m 0400 "
        f"{SECRET} /tmp/credentials/client-secret; runuser -u box-eventd -- box-eventd run")
    expect(status == 75, f"exit {status}: {out}")
    expect(world.machine.property(UNIT, "MainPID") in out, out)


@suite.test("systemctl status reads like a sentence")
def status_text(world):
    form = r"Streaming 1 stream · last event .+ ago · [0-9 \u202f\u00a0]+ spooled · position age .+"
    text = wait("the status text", lambda: re.search(
        form, world.machine.property(UNIT, "StatusText")), 15)
    print(f"          {text[0]}")


@suite.test("box-eventd status asks the running service")
def status_command(world):
    out = world.machine.run("box-eventd status")
    expect("default" in out and "polling" in out, out)
    world.machine.run("box-eventd status --json | grep -q '\"stream_position\"'")


@suite.test("READY=1 comes when the spool is proven, not before")
def ready(world):
    machine = world.machine
    machine.run(f"systemctl stop {UNIT}; mv /var/spool/box-eventd /var/spool/elsewhere")
    was_active = machine.property(UNIT, "ActiveEnterTimestampMonotonic")
    try:
        status, _ = machine.status_of(f"systemctl start {UNIT}")
        expect(status != 0, "started without a spool")
        expect(machine.property(UNIT, "ActiveEnterTimestampMonotonic") == was_active, "it was ready")
        state = machine.show(UNIT, "ActiveState", "ExecMainStatus", "StatusText")
        print(f"          exit {state['ExecMainStatus']}: {state['StatusText']}")
        expect("/var/spool/box-eventd" in state["StatusText"], "the status doesn't say what is missing")
    finally:
        machine.run(f"systemctl stop {UNIT}; mv /var/spool/elsewhere /var/spool/box-eventd")
    machine.start(UNIT)


@suite.test("an unreachable Box doesn't fail the start: it is in the status, and the stream catches up")
def unreachable(world):
    world.simulator.ask("POST", "faults?endpoint=events&rates=503=100")
    world.machine.restart(UNIT)
    expect(world.machine.property(UNIT, "ActiveState") == "active", "not active")
    text = wait("the problem in the status", lambda: re.search(
        r"^The stream is .*503.*", world.machine.property(UNIT, "StatusText")), 15)
    print(f"          {text[0]}")
    world.simulator.ask("POST", "faults?endpoint=events&rates=503=0&clear=1")
    world.simulator.produce(10)
    all_spooled(world, seconds=60)


@suite.test("only members of the readers' group can read the spool and ask for the status")
def permissions(world):
    run = world.machine.run
    run("id reader >/dev/null 2>&1 || { useradd -m reader; useradd -m stranger;"
        " usermod -aG box-eventd-readers reader; }")
    folder = "/var/spool/box-eventd/default"
    expect(int(run(f"runuser -u reader -- sh -c 'cat {folder}/current | wc -l'")) > 0, "nothing to read")
    expect(world.machine.status_of(f"runuser -u stranger -- cat {folder}/current")[0] != 0, "a stranger reads it")
    expect(world.machine.status_of(f"runuser -u reader -- touch {folder}/x")[0] != 0, "a reader can write")
    expect(world.machine.status_of("runuser -u reader -- ls /var/lib/box-eventd")[0] != 0, "a reader sees the state")
    run("runuser -u reader -- box-eventd status")
    expect(world.machine.status_of("runuser -u stranger -- box-eventd status")[0] != 0, "a stranger sees the status")
    modes = set(run(f"stat -c '%a %G' {folder}/events-*").split("\n")) - {""}
    expect(modes == {"640 box-eventd-readers"}, modes)
    expect(run(f"stat -c %a {folder}").strip() == "2750", "folder")
    expect(run("stat -c '%a %U' /var/lib/box-eventd").strip() == "700 box-eventd", "state")


@suite.test("the journal has native fields, and its catalog explains the messages")
def journal(world):
    entries = world.machine.journal(f"-u {UNIT} BOX_STREAM=default")
    caught_up = [e for e in entries if e.get("MESSAGE_ID") == "e7680e8d57a34a5fb6d4628e5ae1d8c5"]
    expect(caught_up, "no entry reports that the stream has caught up")
    expect({"BOX_POSITION", "PRIORITY", "CODE_FILE", "CODE_FUNC"} <= set(caught_up[-1]), sorted(caught_up[-1]))
    explained = world.machine.run(f"journalctl -x -u {UNIT} --no-pager")
    for subject in ("box-eventd has started", "box-eventd has signed in to Box", "Stream default has caught up",
                    "box-eventd can't sign in to Box", "The configuration was rejected"):
        expect(f"Subject: {subject}" in explained, f"not explained: {subject}")


@suite.test("name resolution works inside the sandbox of the unit")
def resolution(world):
    # The simulator's URLs name "localhost": a stream that reads has resolved it through nsswitch.
    expect("localhost" in Simulator.API, Simulator.API)
    world.simulator.produce(1)
    all_spooled(world)


@suite.test("reload adds a stream and interrupts no other")
def reload_adds(world):
    pid = world.machine.property(UNIT, "MainPID")
    since = world.machine.now()
    world.machine.write(CONFIG, configuration(
        streams='[[stream]]\nname = "second"\nsubject = "user:124"\nstart = "oldest"'))
    world.machine.run(f"systemctl reload {UNIT}")
    world.simulator.produce(5)
    world.simulator.produce(5, user="124")
    all_spooled(world)
    all_spooled(world, "second", "124")
    expect(world.machine.property(UNIT, "MainPID") == pid, "it was restarted")
    stopped = [e["MESSAGE"] for e in world.machine.journal(f"-u {UNIT} BOX_STREAM=default", since)]
    expect(not any("stopped" in text for text in stopped), stopped)
    logged = " ".join(world.machine.messages(UNIT, since))
    expect(reloads(world, since), f"no message of the reload: {logged}")
    expect("credential" in logged and "restart" in logged, f"no message that a credential needs a restart: {logged}")


@suite.test("a reload hands over no credential that has changed since the start")
def reload_credential(world):
    machine = world.machine
    for secret in ("another-secret\n", ""):
        machine.write(SECRET, secret, "0600")
        machine.run(f"systemctl reload {UNIT}")
        seen = machine.run(f"cat /run/credentials/{UNIT}.service/client-secret").strip()
        expect(seen == "simulator-secret", f"the credential after a reload: {seen}")
    machine.write(SECRET, "simulator-secret\n", "0600")
    wait("the reload", lambda: "rejected" not in machine.property(UNIT, "StatusText"), 10)


@suite.test("reload swaps a *_file secret")
def reload_secret(world):
    machine, file = world.machine, "/etc/box-eventd/secret"
    machine.run(f"rm {SECRET}")
    machine.write(file, "simulator-secret\n", "0640")
    machine.run(f"chgrp box-eventd {file}")
    machine.write(CONFIG, configuration(auth=f'client_secret_file = "{file}"'))
    machine.restart(UNIT)
    pid = machine.property(UNIT, "MainPID")

    def swap(secret):
        machine.write(file, secret, "0640")
        machine.run(f"chgrp box-eventd {file}; systemctl reload {UNIT}")

    # There and back while the token is good: the stream doesn't notice.
    swap("another-secret\n")
    swap("simulator-secret\n")
    world.simulator.ask("POST", "expire-tokens")
    world.simulator.produce(1)
    all_spooled(world)
    expect(machine.property(UNIT, "MainPID") == pid, "it was restarted")
    # The wrong one counts from the reload on: the next sign-in is refused.
    swap("another-secret\n")
    world.simulator.ask("POST", "expire-tokens")
    world.simulator.produce(1)
    wait("the refusal in the status", lambda: "client secret" in machine.property(UNIT, "StatusText"), 60)
    # The right one is used at once: no restart is needed.
    swap("simulator-secret\n")
    all_spooled(world)
    expect(machine.property(UNIT, "MainPID") == pid, "it was restarted")


@suite.test("a bad reload fails visibly, and the configuration in force stays")
def reload_bad(world):
    machine = world.machine
    good, pid = machine.run(f"cat {CONFIG}"), machine.property(UNIT, "MainPID")
    for bad in (good + '\nsegmnt_size = "1"\n', good + "\n[[stream]]\n", "not toml ["):
        machine.write(CONFIG, bad)
        status, out = machine.status_of(f"systemctl reload {UNIT}")
        expect(status != 0, "the reload of a bad file succeeded")
        expect("failed" in out, out)
    shown = machine.status_of(f"journalctl -u {UNIT} -n 30 --no-pager")[1]
    expect("toml" in shown, f"no reason in the journal:\n{shown}")
    world.simulator.produce(3)
    all_spooled(world)
    expect(machine.property(UNIT, "MainPID") == pid, "it was restarted")
    machine.write(CONFIG, good)
    machine.run(f"systemctl reload {UNIT}")


@suite.test("stop ends a long poll within 2 s, with everything committed")
def stop(world):
    wait("a poll", lambda: world.simulator.held_polls() > 0)
    out = world.machine.run(
        f"start=$(date +%s%N); systemctl stop {UNIT}; end=$(date +%s%N); echo $(((end - start) / 1000000))")
    expect(int(out.split()[-1]) < 2000, f"{out.strip()} ms")
    state = world.machine.show(UNIT, "ActiveState", "Result", "ExecMainStatus")
    expect(state == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}, state)
    print(f"          {out.strip()} ms")


@suite.test("an encrypted credential works as systemd-creds made it")
def encrypted(world):
    machine = world.machine
    status, out = machine.status_of(
        "printf simulator-secret | systemd-creds encrypt --name=client-secret - /etc/box-eventd/client-secret.cred")
    if status != 0:
        raise Skip(f"systemd-creds can't encrypt here: {out.strip()}")
    expect("simulator-secret" not in machine.run("cat /etc/box-eventd/client-secret.cred"), "not encrypted")
    machine.write(CONFIG, configuration())
    machine.drop_in(UNIT, "LoadCredentialEncrypted=client-secret:/etc/box-eventd/client-secret.cred\n")
    try:
        machine.start(UNIT)
        world.simulator.produce(3)
        all_spooled(world)
        reloads_in_order(world, UNIT, CONFIG)
        machine.write("/etc/box-eventd/client-secret.cred", "damaged")
        status, out = machine.status_of(f"systemctl restart {UNIT}")
        expect(status != 0 and machine.property(UNIT, "ExecMainStatus") == "243", f"a damaged credential: {out}")
    finally:
        machine.drop_in(UNIT, "")
        machine.write(CONFIG, configuration())
        machine.write(SECRET, "simulator-secret\n", "0600")
        machine.restart(UNIT)


@suite.test("two instances of the template run beside each other")
def instances(world):
    machine = world.machine
    for name, user in (("north", "125"), ("south", "126")):
        machine.write(f"/etc/box-eventd/{name}.toml", configuration().replace("user:123", f"user:{user}"))
        machine.write(f"/etc/credstore/box-eventd@{name}.client-secret", "simulator-secret\n", "0600")
    machine.run("systemctl enable --now box-eventd@north box-eventd@south")
    for name, user in (("north", "125"), ("south", "126")):
        world.simulator.produce(4, user=user)
        spool = f"/var/spool/box-eventd@{name}"
        all_spooled(world, "default", user, spool)
        expect(machine.run(f"stat -c '%a %G' {spool}").strip() == "2750 box-eventd-readers", "spool's mode")
        out = machine.run(f"runuser -u reader -- box-eventd status --config /etc/box-eventd/{name}.toml")
        expect("default" in out, out)
    # The main file is another one.
    main = machine.run(f"cat {CONFIG}")
    machine.write(CONFIG, "not toml [")
    reloads_in_order(world, "box-eventd@north", "/etc/box-eventd/north.toml")
    machine.write(CONFIG, main)


@suite.test("a spool elsewhere, by the steps of the manual: what was there goes along, and readers read it")
def elsewhere(world):
    machine, unit, old, new = world.machine, "box-eventd@south", "/var/spool/box-eventd@south", "/srv/events"
    machine.run(f"systemctl stop {unit}; install -d -m 2750 -o box-eventd -g box-eventd-readers {new};"
                f" cp -a {old}/. {new}")
    machine.write("/etc/box-eventd/south.toml",
                  configuration(spool=f'directory = "{new}"').replace("user:123", "user:126"))
    status, out = machine.status_of(f"systemctl start {unit}")
    text = machine.property(unit, "StatusText")
    expect(status != 0 and "ReadWritePaths=" in text, f"without write access: exit {status}, {text}: {out}")
    machine.drop_in(unit, f"ReadWritePaths={new}\n[Unit]\nRequiresMountsFor={new}\n")
    machine.restart(unit)
    world.simulator.produce(4, user="126")
    all_spooled(world, "default", "126", new)
    machine.run(f"runuser -u reader -- cat {new}/default/current >/dev/null && ! test -e {new}/default/gaps.ndjson")
    # The upgrade's test finds the old place.
    machine.run(f"systemctl stop {unit}; cp -a {new}/. {old}")
    machine.write("/etc/box-eventd/south.toml", configuration().replace("user:123", "user:126"))
    machine.drop_in(unit, "")
    machine.start(unit)
