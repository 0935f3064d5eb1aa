# SPDX-License-Identifier: ISC
"""Holds the tree to the rules that a compiler does not know.

Every file names its licence; arrows between rooms point down; the programs for hosts link no database; nothing
calls the string functions that cannot be used safely.
"""
import os
import re
import subprocess
import sys

ROOMS = {  # room: the rooms it may include
    "base": {"base"},
    "store": {"base", "store"},
    "wire": {"base", "wire"},
    "landing": {"base", "store", "wire", "landing"},
    "notice": {"base", "store", "wire", "notice"},
    "channel": {"base", "channel"},
    "channel/book": {"base", "store", "wire", "channel"},
    "release": {"base", "release"},
    "node": {"base", "release", "node"},
    "balance": {"base", "balance"},
    "api": {"base", "store", "wire", "landing", "notice", "channel", "release", "api"},
    "page": {"base", "store", "wire", "landing", "notice", "channel", "release", "api", "page"},
    "programs": {"base", "store", "wire", "landing", "notice", "api", "page", "balance", "channel", "release", "node", "programs"},
}
FOLDERS = {  # room: its folders, each of which may include itself and those before it; "" is the room's top
    "channel": ["rule", "row", "", "change", "balrog", "answer", "book"],
}
HEARTS = {
    "landing": {"deployable", "message", "names", "poison", "questions", "tree", "undo", "whatif"},
}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen|alloca)\s*\(")
COMMENTED = (".c", ".h", ".py", ".sh", ".yaml", ".sql", ".css", ".js", ".mjs", ".scd", ".build")


def files():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True)
    return [path for path in out.stdout.splitlines() if os.path.isfile(path)]


def folder(header):
    """Of "channel/row/row.h": "row"; of "channel/lint.h": "", the room's top."""
    return "/".join(header.split("/")[1:-1])


def points_up_in_room(path, include):
    """Does a file of a room include a header of a folder that stands above its own?"""
    order = FOLDERS[path.split("/")[1]]
    return order.index(folder(include)) > order.index(folder(path.removeprefix("src/")))


def main():
    problems = []
    for path in files():
        if path.startswith(("tests/fuzz/corpus/", "tests/cases/", "tests/unit/page/fixtures/")):
            continue
        if not path.endswith(COMMENTED):
            continue
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
        if "SPDX-License-Identifier: ISC" not in text[:400]:
            problems.append(f"{path}: no SPDX-License-Identifier: ISC at its beginning")
        if not path.startswith("src/") or not path.endswith((".c", ".h")):
            continue
        room = path.split("/")[1]
        inner = "/".join(path.split("/")[1:3])
        allowed = ROOMS.get(inner, ROOMS[room])
        for line, include in re.findall(r'^(#include "([^"]+)")', text, re.M):
            other = include.split("/")[0]
            if "/" in include and other not in allowed:
                problems.append(f"{path}: {line} points up: {room} may not know {other}")
            if other == room and room in FOLDERS and points_up_in_room(path, include):
                problems.append(f"{path}: {line} points up in its room")
            stem = os.path.basename(path)[:-2]
            if stem in HEARTS.get(room, ()) and other in ("store", "wire"):
                problems.append(f"{path}: a heart that includes {include}")
        for match in BANNED.finditer(re.sub(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/', "", text, flags=re.S)):
            problems.append(f"{path}: calls {match.group(1)}, which is banned")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


sys.exit(main())
