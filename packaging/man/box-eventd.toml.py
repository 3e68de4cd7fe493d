#!/usr/bin/python3
"""Writes the manual page box-eventd.toml(5) from the comments of the configuration file itself.

usage: packaging/man/box-eventd.toml.py config/box-eventd.toml > box-eventd.toml.5

What it relies on: a block of comment lines belongs to the table or key right below it; a key with a
default reads "#key = value", one without ends with "# example"; lines of the form `"value": text` are
a list, continued by lines that are indented.
"""

import re
import sys

HEAD = """\
.Dd November 23, 2026
.Dt BOX-EVENTD.TOML 5
.Os
.Sh NAME
.Nm box-eventd.toml
.Nd configuration of box-eventd
.Sh SYNOPSIS
.Bl -tag -width Ds -compact
.It Pa /etc/box-eventd/box-eventd.toml
.It Pa /etc/box-eventd/box-eventd.toml.d/*.toml
.It Pa /etc/box-eventd/ Ns Ar NAME Ns Pa .toml
for box-eventd@NAME.service
.El
.Sh DESCRIPTION
The file is written in TOML, see
.Lk https://toml.io .
The one that comes with the package has every key with its default, and the same explanations.
"""

FOOT = """\
.Sh EXAMPLES
All that happens in a user's account, read with client credentials:
.Bd -literal -offset indent
[auth]
client_id = "0123456789abcdefghijklmnopqrstuv"
subject = "user:123456789"

[[stream]]
name = "default"
.Ed
.Pp
An enterprise, in a file of its own:
.Bd -literal -offset indent
# box-eventd.toml.d/enterprise.toml
[[stream]]
name = "enterprise"
type = "admin_logs_streaming"
subject = "enterprise:456"
start = "oldest"
.Ed
.Sh SEE ALSO
.Xr systemd.exec 5 ,
.Xr box-eventd 8 ,
.Xr box-eventd-check 8
"""

TABLE = re.compile(r"^(\[\[?[a-z_]+\]\]?)$")
KEY = re.compile(r"^#?([a-z_]+) = (.*)$")
ITEM = re.compile(r'^("[^"]+"):\s+(.*)$')


def escaped(text):
    """Text that is no macro or escape of roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def sentences(text):
    """One sentence a line, as mdoc(7) asks for."""
    return [escaped(line) for line in re.split(r"(?<=[.:;?!]) +(?=[A-Z\"*])", text)]


def body(lines):
    """The roff lines of a block of comments, lists and indented examples included."""
    out, paragraph, state = [], [], None

    def flush():
        out.extend(sentences(" ".join(paragraph)) if paragraph else [])
        paragraph.clear()

    def enter(new):
        nonlocal state
        flush()
        if state == new:
            return
        out.extend({"list": [".El"], "literal": [".Ed"]}.get(state, []))
        out.extend({"list": [".Bl -tag -width Ds"], "literal": [".Bd -literal -offset indent"]}.get(new, []))
        state = new

    for line in lines:
        item = ITEM.match(line)
        if item:
            enter("list")
            out.append(".It " + mdoc_word(item[1]))
            paragraph.append(item[2])
        elif state == "list" and line.startswith(" "):
            paragraph.append(line.strip())
        elif line.startswith("    "):
            enter("literal")
            out.append(escaped(line[4:]))
        elif not line:
            enter(None)
            if out and out[-1] != ".Pp":
                out.append(".Pp")
        else:
            if state:
                enter(None)
                out.append(".Pp")
            paragraph.append(line)
    enter(None)
    while out and out[-1] == ".Pp":
        out.pop()
    # A display brings its own space above it.
    return [line for line, after in zip(out, out[1:] + [""]) if line != ".Pp" or not after.startswith(".B")]


def mdoc_word(text):
    """An argument of a macro: quoted, with quotes doubled."""
    return '"' + escaped(text).replace('"', '\\(dq') + '"'


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        sys.exit(0 if len(sys.argv) == 2 else 64)
    comments, page, keys = [], [HEAD], False
    first = True
    for line in open(sys.argv[1], encoding="utf-8").read().splitlines() + [""]:
        table, key = TABLE.match(line), KEY.match(line)
        if table or key:
            text, comments = body(comments), []
            if table:
                if keys:
                    page.append(".El")
                page.append(".Ss " + mdoc_word(table[1]))
                keys = False
                page.extend(text)
            else:
                if not keys:
                    page.append(".Bl -tag -width Ds")
                    keys = True
                value, _, example = key[2].partition("# example")
                value = value.strip()
                word = "for example" if "# example" in key[2] else "default"
                page.append(".It Ic " + key[1])
                page.extend(text)
                if line.startswith("#"):
                    page.append(".br")
                    page.append(word.capitalize() + ":")
                    page.append(".Ql " + mdoc_word(value) + " .")
        elif line.startswith("#"):
            comments.append(line[2:])
        elif comments and first:
            # The head of the file: its first line names it.
            page.extend([".Pp"] + body(comments[2:]))
            comments, first = [], False
    if keys:
        page.append(".El")
    page.append(FOOT)
    print("\n".join(page).replace("\n\n.", "\n."), end="")


main()
