"""The package: what an installation brings, and that it starts nothing."""

import glob
import os
import re

from machine import expect
from suite import suite

UNIT = "box-eventd"


@suite.test("a bare Debian has all the package depends on, and nothing is enabled or started")
def installed(world):
    world.machine.push(world.deb, "/root")
    world.machine.run(f"dpkg -i /root/{os.path.basename(world.deb)}")
    state = world.machine.show(UNIT, "LoadState", "ActiveState", "UnitFileState")
    expect(
        state == {"LoadState": "loaded", "ActiveState": "inactive", "UnitFileState": "disabled"}, state)


@suite.test("user, group, spool and configuration are there, with their modes")
def files(world):
    run = world.machine.run
    expect("box-eventd" in run("getent passwd box-eventd"), "no user")
    run("getent group box-eventd-readers")
    expect(run("id -nG box-eventd").strip() == "box-eventd", "the daemon is a member of other groups")
    spool = run("stat -c '%a %U %G' /var/spool/box-eventd").strip()
    expect(spool == "2750 box-eventd box-eventd-readers", spool)
    conffiles = run("dpkg-query -W -f '${Conffiles}' box-eventd").split()
    expect("/etc/box-eventd/box-eventd.toml" in conffiles, conffiles)


@suite.test("manual pages, completions and the journal's catalog are installed")
def documentation(world):
    run = world.machine.run
    run("for page in man8/box-eventd.8 man8/box-eventd-status.8 man5/box-eventd.toml.5;"
        " do test -s /usr/share/man/$page.gz || exit 1; done")
    run("test -s /usr/share/bash-completion/completions/box-eventd"
        " && test -s /usr/share/zsh/vendor-completions/_box-eventd"
        " && test -s /usr/share/fish/vendor_completions.d/box-eventd.fish")
    run("bash -n /usr/share/bash-completion/completions/box-eventd")
    catalog = run("cat /usr/lib/systemd/catalog/box-eventd.catalog")
    known = run("journalctl --list-catalog --no-pager")
    for number in re.findall(r"^-- ([0-9a-f]{32})$", catalog, re.MULTILINE):
        expect(number in known, f"message {number} is not in the journal's catalog")


@suite.test("systemd-analyze verify has no objection to the units")
def verified(world):
    for unit in ("box-eventd.service", "box-eventd@work.service"):
        # No man-db in a bare Debian: the pages' presence is tested above.
        out = world.machine.run(f"systemd-analyze verify --man=no {unit}").strip()
        expect(not out, out)


@suite.test("systemd-analyze security gives an exposure of at most 1.5")
def exposure(world):
    for unit in ("box-eventd.service", "box-eventd@work.service"):
        path = f"/usr/lib/systemd/system/{unit.replace('work', '')}"
        out = world.machine.run(
            f"cp {path} /tmp/{unit} && systemd-analyze security --offline=true --threshold=15 --no-pager /tmp/{unit}")
        print(f"          {re.search(r'Overall exposure.*', out)[0]}")


@suite.test("a failure that ends is left within a minute however long it lasted, and memory has a ceiling")
def limits(world):
    for unit in (UNIT, "box-eventd@work"):
        limits = world.machine.show(unit, "Restart", "RestartUSec", "StartLimitIntervalUSec", "MemoryMax")
        expect(limits == {"Restart": "on-failure", "RestartUSec": "15s", "StartLimitIntervalUSec": "0",
                          "MemoryMax": str(2 << 30)}, f"{unit}: {limits}")


@suite.test("started before it is configured, the service names the file to edit and is not restarted")
def unconfigured(world):
    status, out = world.machine.status_of(f"systemctl start {UNIT}")
    expect(status != 0, "the start succeeded")
    state = world.machine.show(UNIT, "ActiveState", "ExecMainStatus", "NRestarts")
    expect(state == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0"}, state)
    shown = world.machine.status_of(f"systemctl status {UNIT}")[1]
    expect("/etc/box-eventd/box-eventd.toml" in shown, f"nothing to edit is named:\n{shown}")
    world.machine.run(f"systemctl reset-failed {UNIT}")


@suite.test("the files of the debug package belong to the binary", once=True)
def debug_symbols(world):
    found = glob.glob(world.deb.replace("box-eventd_", "box-eventd-dbgsym_"))
    expect(found, "no debug package beside the package")
    build_id = re.search(r"Build ID: ([0-9a-f]+)", os.popen(f"readelf -n {world.binary}").read())
    expect(build_id, "the binary has no build id")
    listing = os.popen(f"dpkg-deb -c {found[0]}").read()
    expect(f"{build_id[1][:2]}/{build_id[1][2:]}.debug" in listing, "another build's symbols")
