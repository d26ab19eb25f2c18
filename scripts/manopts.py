#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Put a command's options, as its --help tells them, into its manual page.

usage: manopts.py PAGE.scd BIN

--help is made of the tables by which command lines are read, and the completions of the
shells ask it.  A line of PAGE that begins with @ becomes what --help says:

@-t --free	options, by a letter or a name, as the head of a paragraph
@-o uid -o gid	the same for those of lklfuse, without those that are libfuse's
@image		those of lkl-image(7) that the command takes
@VERB [TEXT]	a verb of lkl with its own options, and TEXT or its operands
@verbs		the own options of all verbs

It is an error if --help has an option that the page does not have, or the other way
round.
"""
import os
import re
import subprocess
import sys

COMMANDS = {
    "cpfromfs.1": ["cpfromfs"],
    "cptofs.1": ["cptofs"],
    "fs2tar.1": ["fs2tar"],
    "lkl-fsck.1": ["lkl", "fsck"],
    "lkl-image.7": ["lkl", "cat"],
    "lkl-mkfs.1": ["lkl", "mkfs"],
    "lkl-resize.1": ["lkl", "resize"],
    "lkl-run.1": ["lkl-run"],
    "lkl.1": ["lkl"],
    "lklfuse.1": ["lklfuse"],
    "tar2fs.1": ["tar2fs"],
}
OPTION = re.compile(
    r" {2,6}(?:-(?P<letter>\w))?(?:, )?(?:--(?P<name>[\w-]+))?(?:[= ](?P<arg>[@\w/:|-]+))?"
    r"(?:  +(?P<text>.*))?$"
)
MOUNT_OPTION = re.compile(
    r" {4}(?P<o>-o )?(?P<letter>(?!))?(?P<name>(?(o)|--)[\w-]+)(?:=(?P<arg>\S+))?(?:  +(?P<text>.*))?$"
)


def escape(text):
    """Return text as scdoc prints it as it is."""
    return re.sub(r"([*_\\#|[\]])", r"\\\1", text)


class Option:
    """An option of --help."""

    def __init__(self, match):
        self.letter, self.name, self.arg, self.text = match.group("letter", "name", "arg", "text")
        self.text = (self.text or "").strip()
        self.arg = self.arg and re.sub(r"([A-Z][A-Z_0-9]*)", r"_\1_", self.arg)
        self.dashes = "--"

    def names(self):
        """Return all that it is called, with dashes."""
        return (["-" + self.letter] if self.letter else []) + (
            [self.dashes + self.name] if self.name else []
        )

    def head(self):
        """Return it as the head of a paragraph."""
        text = ", ".join("*%s*" % name for name in self.names())
        return text + ("=" if self.name else " ") + self.arg if self.arg else text

    def paragraph(self):
        """Return it with what --help says."""
        text = escape(self.text)
        return "%s\n\t%s%s\n" % (self.head(), text[:1].upper(), text[1:] + ".")


class Help:
    """What a command says to --help."""

    known = {}

    def __new__(cls, command, bin_dir):
        """Ask each command once."""
        if tuple(command) not in cls.known:
            cls.known[tuple(command)] = super().__new__(cls)
            cls.known[tuple(command)].ask(command, bin_dir)
        return cls.known[tuple(command)]

    def ask(self, command, bin_dir):
        """Run a command, and read what it says."""
        run = [os.path.join(bin_dir, command[0]), *command[1:], "--help"]
        self.text = subprocess.run(run, capture_output=True, text=True, check=True).stdout
        self.options = []
        if command == ["lklfuse"]:
            # what follows is libfuse's
            for line in self.text.split("\n\n")[1].splitlines():
                match = MOUNT_OPTION.match(line)
                if match:
                    self.options.append(Option(match))
                    self.options[-1].dashes = match.group("o") or ""
            return
        for line in self.text.split("\nExamples:")[0].splitlines():
            match = OPTION.match(line)
            if match and (match.group("letter") or match.group("name")):
                self.options.append(Option(match))
            elif self.options and line.startswith(" " * 20):
                option = self.options[-1]
                option.text = (option.text + " " + line.strip()).strip()

    def find(self, name):
        """Return the option that is called so."""
        for option in self.options:
            if name in option.names():
                return option
        return None

    def operands(self):
        """Return what follows the options in the first line of its usage."""
        usage = self.text.splitlines()[0].split("[OPTION]... ", 1)[-1]
        return re.sub(r"([A-Z][A-Z_]*)", r"_\1_", usage).strip()


class Page:
    """A manual page."""

    def __init__(self, path, bin_dir):
        self.path = path
        self.bin = bin_dir
        name = os.path.basename(path)[: -len(".scd")]
        self.command = COMMANDS.get(name)
        self.help = Help(self.command, bin_dir) if self.command else None
        self.image = {
            option.name: option
            for option in Help(["lkl", "cat"], bin_dir).options
            if option.name not in ("help", "version")
        }
        # lkl-image(7) leaves those that all commands have to their pages
        self.told = {"--help", "--version"} if name == "lkl-image.7" else set()

    def wrong(self, what):
        """End, as the page is wrong."""
        sys.exit("%s: %s" % (self.path, what))

    def own(self, verb):
        """Return the options of a verb that others do not have."""
        return [
            option for option in Help(["lkl", verb], self.bin).options
            if option.name not in self.image and option.name not in ("help", "version")
        ]

    def heads(self, names):
        """Return options as the head of a paragraph."""
        heads = []
        for name in names:
            option = self.help.find(name)
            if not option:
                self.wrong("%s has no option %s" % (" ".join(self.command), name))
            self.told.update(option.names())
            heads.append(option.head())
        return ", ".join(heads)

    def image_options(self):
        """Return the short names of those of lkl-image(7)."""
        command = self.command if self.command != ["lkl"] else ["lkl", "cat"]
        taken = [
            option for option in Help(command, self.bin).options if option.name in self.image
        ]
        for option in taken:
            self.told.update(option.names())
        return ", ".join("*%s*" % option.names()[0] for option in taken)

    def verb(self, verb, operands):
        """Return a verb with its options and operands."""
        parts, letters = ["*%s*" % verb], ""
        own = self.own(verb)
        for option in own:
            if option.letter and not option.arg:
                letters += option.letter
        if letters:
            parts.append("[*-%s*]" % letters)
        for option in own:
            if option.letter and option.arg:
                parts.append("[*-%s* %s]" % (option.letter, option.arg))
            elif not option.letter:
                parts.append("[*--%s*%s]" % (option.name, "=" + option.arg if option.arg else ""))
        return " ".join(parts + [operands or Help(["lkl", verb], self.bin).operands()])

    def verbs(self):
        """Return the own options of all verbs."""
        parts = []
        # lines of other commands' own pages are there
        ours = re.findall(r"^  ([a-z]+) ", self.help.text.split("\nExamples:")[0], re.M)
        for verb in ours:
            if verb in ("cp", "fsck", "fuse", "mkfs", "resize", "run", "tar", "untar"):
                continue
            own = self.own(verb)
            if own:
                parts.append("## lkl %s\n" % verb)
                parts += [option.paragraph() for option in own]
        return "\n".join(parts).rstrip("\n")

    def line(self, line):
        """Return a line of the page as scdoc is to read it."""
        if not line.startswith("@"):
            return line
        word, _, rest = line[1:].partition(" ")
        if word.startswith("-"):
            mount = self.command == ["lklfuse"]
            return self.heads(re.findall(r"(?:-o )?\S+" if mount else r"\S+", line[1:]))
        if word == "image":
            return self.image_options()
        if word == "verbs":
            return self.verbs()
        return self.verb(word, rest)

    def read(self):
        """Return the whole page."""
        with open(self.path, encoding="utf-8") as text:
            lines = [self.line(line.rstrip("\n")) for line in text]
        if self.help and self.command != ["lkl"]:
            for option in self.help.options:
                if not self.told.intersection(option.names()):
                    self.wrong("it does not have the option %s" % option.names()[-1])
        return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(Page(sys.argv[1], sys.argv[2]).read())
