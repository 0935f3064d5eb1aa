# SPDX-License-Identifier: ISC
"""Random configuration files mean to base/ini.c what they mean to Python's ConfigParser.

Usage: ini_against_configparser.py INI_DUMP

Files are made of lines that try the dialect's corners. Where ConfigParser refuses, so must we, at
the same line; where it accepts, every section, key and interpolated value must be the same. What
ConfigParser accepts by dropping text (after a section's "]") is left out: we refuse that.
"""

import collections
import configparser
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

FILES = 1500
LINES = [
    "[a]", "[b c]", "[DEFAULT]", "[a]  ", "  [d]", "[]", "[x", "x = 1", "x=1", "x : 1", "X = 2",
    "y = %(x)s", "y = %(Y)s", "z = 100%%", "z = 5%", "z = %(gone)s", "z = %(x", "w = %(y)s%(z)s",
    "long name = a = b : c", "url: http://h:80/?a=b", "empty =", "q = ; no comment", "= 1", ": 1",
    "no delimiter", "  deeper", "\tby a tab", "    deepest", "  x = 3", "    y = 4", "", "", "   ",
    "\t", "# comment", "  ; comment", ";", "k = v # kept", "é = ü", "  é", "v = \\n", "v = a  ",
    'd1 = ["a", "b"]',
]


def python_view(path):
    parser = configparser.ConfigParser()
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
    except configparser.MissingSectionHeaderError as error:
        return {"line": error.lineno}
    except configparser.ParsingError as error:
        return {"line": error.errors[0][0]}
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        return {"line": error.lineno}
    sections = {}
    for section in parser.sections():
        sections[section] = {}
        for key in parser.options(section):
            try:
                sections[section][key] = parser.get(section, key)
            except configparser.InterpolationError:
                sections[section][key] = None
    return {"sections": sections}


def agrees(python, ours):
    if "sections" in python:
        return python == ours
    if "error" not in ours:
        return False
    line = int(re.search(r":(\d+):\d+: ", ours["error"]).group(1))
    # ConfigParser collects form errors and goes on, so a duplicate further down wins over them.
    return line <= python["line"]


def write_files(folder):
    dice = random.Random(1)
    paths = []
    for number in range(FILES):
        lines = ["[a]"] if dice.random() < 0.9 else []
        lines += dice.choices(LINES, k=dice.randrange(1, 14))
        if dice.random() < 0.6:
            lines = [line for line in lines if line not in ("[]", "[x", "= 1", ": 1", "no delimiter")]
        if dice.random() < 0.5:  # without repeated keys and sections, so that more is accepted
            lines = list(dict.fromkeys(lines))
        newline = dice.choice(["\n", "\r\n"])
        text = newline.join(lines) + dice.choice(["", newline])
        path = pathlib.Path(folder, f"{number}.conf")
        path.write_bytes(dice.choice([b"", b"\xef\xbb\xbf"]) + text.encode())
        paths.append(path)
    return paths


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(folder)
        output = subprocess.run([sys.argv[1], *paths], check=True, capture_output=True).stdout
        seen = collections.Counter()
        for path, line in zip(paths, output.decode().splitlines(), strict=True):
            python, ours = python_view(path), json.loads(line)
            if not agrees(python, ours):
                sys.exit(f"{path.read_bytes()!r}\nConfigParser: {python}\nours: {ours}")
            seen["accepted" if "sections" in python else "refused"] += 1
        print(dict(seen))
        if min(seen["accepted"], seen["refused"]) < FILES // 10:
            sys.exit("the files are too much alike to show anything")


main()
