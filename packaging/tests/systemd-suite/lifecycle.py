"""The package over time: upgrade, reboot, removal, reinstallation, purge."""

import os
import subprocess

from machine import canonical, expect, wait
from service import UNIT, all_spooled
from suite import suite


def newer(world):
    """The same package under a higher version."""
    folder = os.path.join(world.folder, "newer")
    subprocess.run(["dpkg-deb", "-R", world.deb, folder], check=True)
    control = os.path.join(folder, "DEBIAN/control")
    text = open(control, encoding="utf-8").read()
    open(control, "w", encoding="utf-8").write(text.replace("\nVersion: ", "\nVersion: 1:"))
    path = os.path.join(world.folder, "box-eventd_newer.deb")
    subprocess.run(["dpkg-deb", "-b", "-Znone", "--root-owner-group", folder, path],
                   check=True, capture_output=True)
    return path


@suite.test("an upgrade under load restarts what runs; no event is lost or twice, readers keep following")
def upgrade(world):
    machine = world.machine
    machine.push(newer(world), "/root")
    before = {unit: machine.property(unit, "MainPID") for unit in (UNIT, "box-eventd@north")}
    machine.run("systemctl stop box-eventd@south")
    reader = machine.background(
        "exec runuser -u reader -- timeout 60 tail -F -n +1 /var/spool/box-eventd/default/current"
        " >/tmp/followed 2>/tmp/follow.log")
    first = machine.run("readlink /var/spool/box-eventd/default/current").strip()
    skipped = len(machine.run(
        "cd /var/spool/box-eventd/default && cat $(ls events-*.ndjson | sort |"
        f" sed -n '/{first}/q;p') /dev/null").splitlines())
    install = subprocess.Popen(
        [*world.in_machine, "sh", "-c", "sleep 1; dpkg -i /root/box-eventd_newer.deb"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while install.poll() is None:
        world.simulator.produce(15)
    expect(install.returncode == 0, install.stdout.read())
    world.simulator.produce(15)
    for unit, pid in before.items():
        state = machine.show(unit, "ActiveState", "MainPID")
        expect(state["ActiveState"] == "active" and state["MainPID"] != pid, f"{unit} was not restarted: {state}")
    expect(machine.property("box-eventd@south", "ActiveState") == "inactive", "a stopped instance was started")
    all_spooled(world)
    spooled = machine.spooled("default")[skipped:]

    def followed():
        lines = machine.run("cat /tmp/followed").splitlines()
        return len(lines) >= len(spooled) and lines

    lines = wait("the reader", followed, 30, 0.5)
    machine.run("pkill -x tail")
    reader.wait()
    expect([canonical(line) for line in lines] == [canonical(line) for line in spooled], "the reader saw other lines")


@suite.test("after a reboot what was enabled runs, and goes on where it was")
def reboot(world):
    world.simulator.produce(5)
    all_spooled(world)
    world.machine.run("systemctl disable --quiet box-eventd@south")
    world.machine.reboot()
    world.simulator.produce(5)
    all_spooled(world)
    expect(world.machine.property("box-eventd@north", "ActiveState") == "active", "the instance doesn't run")
    expect(world.machine.property("box-eventd@south", "ActiveState") == "inactive", "a disabled one runs")
    order = world.machine.property(UNIT, "After")
    expect("network-online.target" in order, order)


@suite.test("a removal stops the services and keeps spool, state and configuration")
def remove(world):
    machine = world.machine
    before = len(machine.spooled("default"))
    machine.run("dpkg -r box-eventd")
    expect(not machine.run("pgrep -x box-eventd || true").strip(), "a daemon still runs")
    expect(len(machine.spooled("default")) == before, "the spool is gone")
    machine.run("test -s /var/lib/box-eventd/default/stream_position && test -s /etc/box-eventd/box-eventd.toml")


@suite.test("installed again, it goes on: nothing lost, nothing twice")
def reinstall(world):
    machine = world.machine
    world.simulator.produce(10)
    machine.run(f"dpkg -i /root/{os.path.basename(world.deb)}")
    machine.start(UNIT)
    all_spooled(world)


@suite.test("a purge asks nothing and deletes configuration, state and secrets, but no events")
def purge(world):
    machine = world.machine
    before = len(machine.spooled("default"))
    machine.run("install -d -m 2750 -o box-eventd -g box-eventd-readers /var/spool/box-eventd@empty")
    # A search that fails proves nothing.
    machine.run("install -d -m 2750 -o box-eventd -g box-eventd-readers /var/spool/box-eventd@unread")
    machine.write("/usr/local/bin/find",
                  '#!/bin/sh\ncase $1 in *@unread) exit 1 ;; esac\nexec /usr/bin/find "$@"\n', "0755")
    out = machine.run("dpkg --purge box-eventd </dev/null")
    expect("box-eventd@unread was kept" in out, f"it didn't say so: {out}")
    machine.run("test -d /var/spool/box-eventd@unread && rm -r /usr/local/bin/find")
    machine.run("for path in /var/lib/box-eventd /var/lib/box-eventd@north /etc/box-eventd /run/box-eventd"
                " /etc/credstore/box-eventd.client-secret /var/spool/box-eventd@empty;"
                " do ! test -e $path || { echo $path is still there; exit 1; }; done")
    expect(len(machine.spooled("default")) == before, "events were deleted")
    expect("events in /var/spool/box-eventd were kept" in out, f"it didn't say so: {out}")
    left = machine.run("find /etc/systemd/system -name '*box-eventd*' ! -path '*.service.d*'").split()
    expect(not left, f"left behind: {left}")
