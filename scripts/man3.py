#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make the text of a manual page of section 3 from an example and the headers.

    man3.py EXAMPLE.c HEADER... > PAGE.scd
    man3.py --names EXAMPLE.c           what the page describes

The example's first comment after the SPDX line is "NAME - what it is about", and a line "Functions:"
with the names that the page describes; what comes before or after them is text for the page.
What is known of each function and structure is its kernel-doc in the headers.
"""

import os
import re
import sys


def comments(text):
    """Yield each kernel-doc comment, as lines, with the declaration that follows."""
    for match in re.finditer(r"/\*\*\n(.*?)\*/\n(.*?[;{])", text, re.S):
        lines = [re.sub(r"^ \*\s?", "", line) for line in match[1].split("\n")]
        yield lines, match[2]


def parse(lines, declaration):
    """Return name, summary, parameters and paragraphs of a kernel-doc comment."""
    blocks = re.split(r"\n\s*\n", "\n".join(lines).strip())
    # the parameters may follow the summary without an empty line
    first, *more = re.split(r"\n(?=@)", blocks[0], maxsplit=1)
    name, summary = re.match(r"(?:struct )?(\w+)(?:\(\))? - (.*)", first, re.S).groups()
    params, text = [], []
    for block in more + blocks[1:]:
        if block.startswith("@"):
            for param in re.split(r"\n(?=@)", block):
                params.append(re.match(r"@(\w+): (.*)", param, re.S).groups())
        else:
            text.append(block)
    plain = " ".join
    return name, {
        "summary": plain(summary.split()),
        "params": [(param, plain(what.split())) for param, what in params],
        "text": [plain(block.split()) for block in text],
        "declaration": plain(
            re.sub(r"__attribute__\(\(.*?\)\) ", "", declaration).split()),
    }


def known(headers):
    """Return what the headers say of each name, and which header it is in."""
    found = {}
    for header in headers:
        with open(header) as text:
            for lines, declaration in comments(text.read()):
                if re.match(r"(struct )?\w+(\(\))? - ", lines[0]):
                    name, doc = parse(lines, declaration)
                    doc["header"] = os.path.basename(header)
                    found[name] = doc
    return found


def escape(text):
    """Keep scdoc from seeing marks in a text, and set what the library calls so."""
    text = re.sub(r"([\\*_`])", r"\\\1", text)
    return re.sub(r"@(\w(?:\w|\\_)*)", r"_\1_", text)


def describe(doc):
    """Print what is known of a function or a structure."""
    for name, text in doc["params"]:
        print("_%s_\n\t%s\n" % (escape(name), escape(text)))
    for text in doc["text"]:
        print(re.sub("^Return: ", "Returns ", escape(text)) + "\n")


def read(path):
    """Return the parts of an example's head, and the example."""
    with open(path) as file:
        source = file.read()
    head, example = re.match(r"// SPDX.*?\n/\*\n(.*?) \*/\n(.*)", source, re.S).groups()
    lines = [re.sub(r"^ \* ?", "", line) for line in head.rstrip("\n").split("\n")]
    text = "\n".join(lines[1:]).strip()
    before, names, after = re.match(r"(.*?)Functions:(.*?)(?:\n\n(.*))?$", text, re.S).groups()
    return lines[0].split(" - ", 1), before.strip(), names.split(), after, example.lstrip("\n")


def main():
    """Print the page."""
    if sys.argv[1] == "--names":
        print(*read(sys.argv[2])[2], sep="\n")
        return
    (name, summary), before, names, after, example = read(sys.argv[1])
    docs = known(sys.argv[2:])
    for one in names:
        if one not in docs:
            sys.exit("man3.py: %s: the headers say nothing of '%s'" % (sys.argv[1], one))
    functions = [one for one in names if "(" in docs[one]["declaration"]]
    header = "lkl_config.h" if docs[names[0]]["header"] == "lkl_config.h" else "lkl.h"

    print('%s(3) "lkl" "Linux as a library"\n' % name)
    print("; SPDX-License-Identifier: GPL-2.0-only\n\n# NAME\n")
    print("%s - %s\n\n# SYNOPSIS\n" % (", ".join(map(escape, functions)), escape(summary)))
    print("*\\#include <%s>*\n" % escape(header))
    print("*cc* file.c *$(pkg-config --cflags --libs lkl)*\n\n# DESCRIPTION\n")
    if before:
        print(escape(before) + "\n")
    for one in names:
        doc = docs[one]
        print("## %s\n" % escape(one if one in functions else "struct " + one))
        if one in functions:
            print("*%s*\n" % escape(doc["declaration"]))
        what = doc["summary"][0].upper() + doc["summary"][1:]
        print(escape(what.rstrip(".")) + ".\n")
        describe(doc)
    if after:
        print("# NOTES\n\n%s\n" % escape(after.strip()))
    print("# EXAMPLE\n\n```\n%s```\n\n# SEE ALSO\n\n*lkl*(3)" % example)


main()
