"""The service under failures: hangs, crash loops, full disks, stuck syncs."""

import os
import re
import subprocess

from machine import expect, wait
from service import CONFIG, UNIT, all_spooled, configuration
from suite import Skip, suite

STUCK = "box-eventd@stuck"
STUCK_SPOOL = "/var/spool/box-eventd@stuck"


class FreezableDisk:
    """An ext4 in a file, mounted on this machine and shown in the sandbox as an instance's spool."""

    def __init__(self, folder):
        self.image, self.mount = f"{folder}/disk.img", f"{folder}/disk"
        self.is_frozen = False

    def make(self):
        """False where there are no loop devices."""
        os.mkdir(self.mount)
        commands = (["truncate", "-s", "64M", self.image], ["mkfs.ext4", "-q", self.image],
                    ["mount", "-o", "loop", self.image, self.mount], ["mkdir", self.mount + "/spool"])
        return all(subprocess.run(command, capture_output=True).returncode == 0 for command in commands)

    @property
    def spool(self):
        return self.mount + "/spool"

    def freeze(self):
        subprocess.run(["fsfreeze", "--freeze", self.mount], check=True)
        self.is_frozen = True

    def thaw(self):
        if self.is_frozen:
            subprocess.run(["fsfreeze", "--unfreeze", self.mount], check=True)
        self.is_frozen = False

    def remove(self):
        self.thaw()
        subprocess.run(["umount", "--lazy", self.mount], capture_output=True)


@suite.test("(a sync gets stuck; the watchdog ends it further below)", once=True)
def stuck_begins(world):
    if not world.disk:
        raise Skip("no loop device for a disk that can be frozen")
    machine = world.machine
    machine.write("/etc/box-eventd/stuck.toml",
                  configuration(spool='keep_free = "1MiB"').replace("user:123", "user:127"))
    machine.write("/etc/credstore/box-eventd@stuck.client-secret", "simulator-secret\n", "0600")
    machine.drop_in(STUCK, "WatchdogSec=10\nRestartSec=1\n")
    world.simulator.produce(3, user="127")
    machine.start(STUCK)
    all_spooled(world, "default", "127", STUCK_SPOOL)
    world.stuck_since = machine.now()
    world.disk.freeze()
    world.simulator.produce(3, user="127")


@suite.test("a hang of the process is ended by the watchdog, and no event is lost")
def hang(world):
    machine = world.machine
    machine.drop_in(UNIT, "WatchdogSec=4\nRestartSec=1\n")
    machine.restart(UNIT)
    pid = machine.property(UNIT, "MainPID")
    machine.run(f"kill -STOP {pid}")
    world.simulator.produce(20)
    wait("the watchdog", lambda: machine.property(UNIT, "MainPID") not in ("0", pid), 40)
    expect(any("Watchdog timeout" in text for text in machine.messages(UNIT)), "not by the watchdog")
    all_spooled(world)


@suite.test("a journal that hangs delays neither events nor start nor stop")
def journal_hangs(world):
    machine = world.machine
    machine.run("systemctl kill -s STOP systemd-journald")
    try:
        # Until the socket's queue is full, and one more is stuck.
        machine.run("timeout 10 sh -c 'while :; do echo MESSAGE=filler | logger --journald; done' || true")
        world.simulator.produce(20)
        all_spooled(world)
        # systemd 257 itself logs each missing credential during a start, and waits for the journal.
        if machine.systemd_version() < 257:
            machine.run(f"timeout 20 systemctl restart {UNIT}")
            world.simulator.produce(20)
            all_spooled(world)
        out = machine.run(
            f"start=$(date +%s%N); timeout 20 systemctl stop {UNIT}; end=$(date +%s%N);"
            " echo $(((end - start) / 1000000))")
        expect(int(out.split()[-1]) < 4000, f"{out.strip()} ms")
    finally:
        machine.run("systemctl kill -s CONT systemd-journald")
    machine.start(UNIT)
    all_spooled(world)


@suite.test("kill -9 under load loses nothing and stores nothing twice", once=True)
def killed(world):
    machine = world.machine
    machine.drop_in(UNIT, "RestartSec=200ms\n")
    machine.restart(UNIT)
    for _ in range(4):
        world.simulator.produce(300)
        pid = machine.property(UNIT, "MainPID")
        machine.run(f"kill -KILL {pid}")
        wait("the restart", lambda: machine.property(UNIT, "MainPID") not in ("0", pid), 10)
    all_spooled(world)


@suite.test("a lock that another process holds for many restarts is waited for, and collecting goes on by itself")
def locked(world):
    machine = world.machine
    machine.drop_in(UNIT, "RestartSec=100ms\n")
    machine.run(f"systemctl stop {UNIT}")
    machine.run("systemd-run --quiet --unit=holder flock /var/lib/box-eventd/.lock sleep infinity")
    try:
        wait("the lock", lambda: machine.status_of("flock -n /var/lib/box-eventd/.lock true")[0] != 0, 10)
        expect(machine.status_of(f"systemctl start {UNIT}")[0] != 0, "started without its lock")
        # More than systemd's own limit, five, and than the ten that this unit once had.
        wait("restarts", lambda: int(machine.property(UNIT, "NRestarts")) > 12, 30)
        wait("exit status 75", lambda: machine.property(UNIT, "ExecMainStatus") == "75", 10)
    finally:
        machine.run("systemctl stop holder")
    wait("the start", lambda: machine.property(UNIT, "ActiveState") == "active", 15)
    world.simulator.produce(5)
    all_spooled(world)
    machine.drop_in(UNIT, "")


@suite.test("a full disk pauses the stream; with free space it goes on, and nothing is lost", once=True)
def disk_full(world):
    machine, spool = world.machine, "/var/spool/box-eventd@small"
    machine.run(f"mkdir -p {spool} && mount -t tmpfs -o size=6M tmpfs {spool}")
    machine.write("/etc/box-eventd/small.toml",
                  configuration(spool='keep_free = "4MiB"').replace("user:123", "user:128"))
    machine.write("/etc/credstore/box-eventd@small.client-secret", "simulator-secret\n", "0600")
    machine.start("box-eventd@small")
    pid = machine.property("box-eventd@small", "MainPID")
    for _ in range(3):
        world.simulator.produce(1000, user="128")
    text = wait("the full disk in the status", lambda: re.search(
        r".*(paused|disk).*", machine.property("box-eventd@small", "StatusText")), 30)
    print(f"          {text[0]}")
    expect(machine.journal("-u box-eventd@small MESSAGE_ID=ce4dab3ffe06411aa4158943bbb01f55"), "not in the journal")
    machine.run(f"mount -o remount,size=64M {spool}")
    all_spooled(world, "default", "128", spool, seconds=90)
    expect(machine.property("box-eventd@small", "MainPID") == pid, "it was restarted")
    machine.run("systemctl stop box-eventd@small")
    machine.run(f"umount {spool}")


@suite.test("a stuck sync is ended by the watchdog, and no event is lost", once=True)
def stuck_ends(world):
    if not world.disk:
        raise Skip("no loop device for a disk that can be frozen")
    machine = world.machine
    try:
        withheld = "MESSAGE_ID=649ed21e8ecd44ee88372a866c2bdcb1"
        wait("the withheld ping", lambda: machine.journal(f"-u {STUCK} {withheld}", world.stuck_since), 120, 1)
        wait("the watchdog", lambda: any(
            "Watchdog timeout" in text for text in machine.messages(STUCK, world.stuck_since)), 60, 1)
    finally:
        world.disk.thaw()
    wait("the restart", lambda: machine.property(STUCK, "ActiveState") == "active", 60, 0.5)
    all_spooled(world, "default", "127", STUCK_SPOOL, seconds=60)
    machine.run(f"systemctl stop {STUCK}")
    machine.drop_in(STUCK, "")
