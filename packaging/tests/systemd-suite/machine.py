"""A throw-away machine with a real systemd, and a simulated Box on its loopback."""

import json
import os
import re
import shlex
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SANDBOX = os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools", "systemd-sandbox")


class Failure(Exception):
    """A test's expectation that isn't met, in words."""


def expect(condition, message):
    if not condition:
        raise Failure(message)


def wait(what, condition, seconds=30, step=0.1):
    """Returns the first true value of the condition; fails when it takes too long."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(step)


class Machine:
    """One sandbox with a minimal Debian of the named suite. Commands run inside it as root, in a shell."""

    def __init__(self, name, debian):
        self.name, self.debian = name, debian

    def sandbox(self, verb, *arguments, **options):
        return subprocess.run([SANDBOX, verb, "-n", self.name, *arguments], text=True, **options)

    def up(self, *options):
        return self.sandbox("up", "--base", "minimal", "--suite", self.debian, *options, capture_output=True)

    def down(self):
        self.sandbox("down")

    def reboot(self):
        for verb in ("poweroff", "boot"):
            done = self.sandbox(verb, capture_output=True)
            expect(done.returncode == 0, f"{verb}: {done.stderr}")

    def push(self, source, folder):
        self.sandbox("push", source, folder, check=True)

    def run(self, command, check=True):
        """Runs a shell command; returns its output, stderr included."""
        done = self.sandbox(
            "exec", "--", "sh", "-c", command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode != 0:
            raise Failure(f"exit {done.returncode} from: {command}\n{done.stdout.strip()}")
        return done.stdout

    def status_of(self, command):
        """Runs a shell command that may fail; returns its exit status and output."""
        done = self.sandbox(
            "exec", "--", "sh", "-c", command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def background(self, command):
        """Starts a command inside that outlives this call."""
        return subprocess.Popen(
            [SANDBOX, "exec", "-n", self.name, "--", "sh", "-c", command], stdin=subprocess.DEVNULL)

    def write(self, path, text, mode="0644"):
        self.run(
            f"mkdir -p $(dirname {path}); umask 077; printf %s {shlex.quote(text)} >{path}.new"
            f" && chmod {mode} {path}.new && mv {path}.new {path}")

    # ------------------------------------------------------------ units ----

    def show(self, unit, *properties):
        """Properties of a unit as a dictionary."""
        lines = self.run(f"systemctl show -p {','.join(properties)} {unit}").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def property(self, unit, name):
        return self.show(unit, name).get(name, "")

    def systemd_version(self):
        return int(self.run("systemctl --version").split()[1])

    def start(self, unit):
        self.run(f"systemctl start {unit}")

    def restart(self, unit):
        self.run(f"systemctl restart {unit}")

    def drop_in(self, unit, text):
        """Replaces this test's settings of a unit; none with an empty text."""
        folder = f"/etc/systemd/system/{unit}.service.d"
        if text:
            self.write(f"{folder}/test.conf", "[Service]\n" + text)
        else:
            self.run(f"rm -rf {folder}")
        self.run("systemctl daemon-reload")

    def journal(self, matches, since=0):
        """Journal entries as dictionaries, oldest first, later than a time that `now` gave."""
        # Not --after-cursor: with matches, that of systemd 252 leaves out the first entry after it.
        lines = self.run(f"journalctl -o json --all --no-pager {matches}").splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return [entry for entry in entries if int(entry["__REALTIME_TIMESTAMP"]) > since]

    def messages(self, unit, since=0):
        return [str(entry.get("MESSAGE", "")) for entry in self.journal(f"-u {unit}", since)]

    def now(self):
        """The machine's time in microseconds, as its journal writes it."""
        return int(self.run("date +%s%6N"))

    # ------------------------------------------------------------ spool ----

    def spooled(self, stream, spool="/var/spool/box-eventd"):
        """The complete lines of a stream's spool, in order. The last one may be in the middle of its write."""
        text = self.run(f"cat {spool}/{stream}/events-*.ndjson 2>/dev/null || true")
        return text[:text.rfind("\n") + 1].splitlines()


AGENT = """
import sys, urllib.request
for line in sys.stdin:
    method, url, body = line.rstrip("\\n").split("\\t")
    request = urllib.request.Request(url, method=method, data=body.encode() if method == "POST" else None)
    try:
        data = urllib.request.urlopen(request, timeout=30).read()
    except Exception as error:
        data = ("ERROR " + repr(error)).encode()
    sys.stdout.buffer.write(b"%d\\n" % len(data) + data)
    sys.stdout.buffer.flush()
"""


class Simulator:
    """`box-eventd simulate` on the machine's network, and its control endpoint."""

    PORT = 8080
    API = f"http://localhost:{PORT}/2.0"
    TOKEN = f"http://localhost:{PORT}/oauth2/token"

    def __init__(self, machine, binary):
        self.machine, self.binary = machine, binary
        self.agent = self.process = None

    def start(self, *options):
        net = [SANDBOX, "netexec", "-n", self.machine.name, "--"]
        self.process = subprocess.Popen(
            [*net, self.binary, "simulate", "--port", str(self.PORT), *options],
            stdout=subprocess.PIPE, text=True)
        words = [self.process.stdout.readline() for _ in range(3)]
        expect("control" in words[2], f"the simulator did not start: {words}")
        self.url = words[2].split('"')[1].rstrip("/")
        if not self.agent:
            self.agent = subprocess.Popen(
                [*net, "python3", "-c", AGENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ask(self, method, what):
        self.agent.stdin.write(f"{method}\t{self.url}/{what}\t\n".encode())
        self.agent.stdin.flush()
        size = int(self.agent.stdout.readline())
        answer = self.agent.stdout.read(size).decode()
        expect(not answer.startswith("ERROR"), f"simulator, {what}: {answer}")
        return answer

    def produce(self, count, user="123", kind="all"):
        self.ask("POST", f"produce?count={count}&user={user}&type={kind}")

    def ledger(self, user="123", kind="all"):
        return self.ask("GET", f"ledger?user={user}&type={kind}").splitlines()

    def held_polls(self):
        return json.loads(self.ask("GET", "stats"))["held_polls"]


def canonical(line):
    """An event without the white space that may be dropped; numbers stay as they are written."""
    return json.dumps(
        json.loads(line, parse_int=lambda text: "int " + text, parse_float=lambda text: "float " + text))


def difference(spooled, served):
    """Nothing if every event is in the spool once; else what is wrong, in words."""
    ours, theirs = [canonical(line) for line in spooled], [canonical(line) for line in served]
    missing = len(set(theirs) - set(ours))
    twice = len(ours) - len(set(ours))
    strange = len(set(ours) - set(theirs))
    if missing or twice or strange:
        return f"{missing} missing, {twice} twice, {strange} not Box's, of {len(theirs)}"
    return ""
