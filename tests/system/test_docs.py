# SPDX-License-Identifier: ISC
"""The documentation says what the programs do.

A fenced block marked `console` is a session: lines that begin with "$ " are typed, those with "> " go on with the
command above, the others are what was shown. All sessions of one file are one shell, in a folder of their own.
What is shown is compared with what comes, standard error included, but for:

    …                    in a line: anything; alone in a line: any number of lines
    revisions, digests   any of the same length; secrets: any of the same kind
    dates and times      any
    blanks               any number for one or more
    log lines            left out, unless the block shows some

The addresses 127.0.0.1:8461, :8460 and :8080 become free ones, and droverd's clock stands still. A command that fails is followed by "$ echo $?".
"""
import functools
import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import urllib.request

import pytest
import yaml

from beds import admin_token
from conftest import ALLOW_ROOT, BUILD, ROOT, frozen_environment

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
PAGES = [page for page in PAGES if page.exists()]
LOG_LINE = re.compile(r"^time=\S+ level=\w+ ")


def name_of(page):
    return str(page.relative_to(ROOT))


# -- sessions ----------------------------------------------------------------------------------------------------

class Step:
    def __init__(self, line, command):
        self.line, self.command, self.shown = line, command, []


def fences(page, language=None):
    """(line, language, lines) of each fenced block."""
    found, inside = [], None
    for number, text in enumerate(page.read_text().splitlines(), 1):
        if inside is None and text.startswith("```"):
            inside = (number + 1, text[3:].strip(), [])
        elif inside is not None and text.startswith("```"):
            found.append(inside)
            inside = None
        elif inside is not None:
            inside[2].append(text)
    assert inside is None, f"{page}: a block is not closed"
    return [block for block in found if language is None or block[1] == language]


def steps_of(page):
    steps = []
    for first, _, lines in fences(page, "console"):
        begin = len(steps)
        for number, text in enumerate(lines, first):
            if text.startswith("$ "):
                steps.append(Step(number, text[2:]))
            elif text.startswith("> ") and len(steps) > begin and not steps[-1].shown:
                steps[-1].command += "\n" + text[2:]
            else:
                assert len(steps) > begin, f"{page}:{number}: a session begins with a command"
                steps[-1].shown.append(text)
    return steps


TOKENS = re.compile(
    r"(?P<any>…)|(?P<secret>\bdr[ths]_[\w-]{8,}|\bdre_[\w-]{8,})"
    r"|(?P<date>\d{4}-\d\d-\d\d)|(?P<time>\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)"
    r"|(?P<hex>\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b)|(?P<blank>\s+)")


def pattern_of(text):
    def token(match):
        kind = match.lastgroup
        if kind == "hex":
            return f"[0-9a-f]{{{len(match[0])}}}"
        return {"any": ".*", "secret": re.escape(match[0][:4]) + r"[\w-]{43}", "date": r"\d{4}-\d\d-\d\d",
                "time": r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?", "blank": r"\s+"}[kind]

    parts, end = [], 0
    for match in TOKENS.finditer(text):
        parts += [re.escape(text[end:match.start()]), token(match)]
        end = match.end()
    return "".join(parts) + re.escape(text[end:])


def is_as_shown(shown, came):
    """Lines against lines; "…" alone stands for any number of them."""
    if not shown:
        return not came
    if shown[0].strip() == "…":
        return any(is_as_shown(shown[1:], came[skip:]) for skip in range(len(came) + 1))
    return bool(came) and re.fullmatch(pattern_of(shown[0].rstrip()), came[0].rstrip()) is not None \
        and is_as_shown(shown[1:], came[1:])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def shell_of(folder, ports):
    """The environment of a session: the programs on PATH, a state folder, and nothing of this machine's."""
    programs = folder / "bin"
    programs.mkdir()
    for name, more in {"drover": ALLOW_ROOT, "droverd": ALLOW_ROOT, "drover-node": []}.items():
        # A wrapper, so that tests may run as root where the programs would refuse.
        (programs / name).write_text(f'#!/bin/sh\nexec "{BUILD / name}" "$@" {" ".join(more)}\n')
        (programs / name).chmod(0o755)
    environment = frozen_environment(folder)
    pathlib.Path(environment["DROVER_CONFIG"]).write_text(
        f"[admin]\nlisten = {ports['127.0.0.1:8461']}\n[public]\nlisten = {ports['127.0.0.1:8460']}\n"
        "[clock]\nscan-every = 0\nremind-every = 0\n")
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    environment["DROVER_STATE"] = str(folder / "state")
    environment["COLUMNS"] = "120"
    environment["EXAMPLES"] = str(ROOT / "examples")
    return environment


def play(steps, folder):
    """Runs the commands in one shell. What each showed, and its exit status."""
    ports = {f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (8461, 8460, 8080)}
    script = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT", "status=0", "shopt -s expand_aliases"]
    for number, step in enumerate(steps):
        command = functools.reduce(lambda text, pair: text.replace(*pair), ports.items(), step.command)
        script += [f"(exit $status)\n{{\n{command}\n}} >{folder}/{number}.out 2>&1 </dev/null",
                   f"status=$?; echo $status >{folder}/{number}.status"]
    (folder / "session.sh").write_text("\n".join(script) + "\n")
    (folder / "work").mkdir()
    subprocess.run(["bash", folder / "session.sh"], cwd=folder / "work", env=shell_of(folder, ports), timeout=60,
                   check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for number, step in enumerate(steps):
        status = folder / f"{number}.status"
        out = folder / f"{number}.out"
        text = out.read_text(errors="replace") if out.exists() else ""
        for written, used in ports.items():
            text = text.replace(used, written)
        yield step, text.splitlines(), int(status.read_text()) if status.exists() else None


def heard(step, came):
    """What came, as far as the page is to show it. Empty lines at the end do not count."""
    shown = list(step.shown)
    if not any(LOG_LINE.match(line) for line in shown):
        came = [line for line in came if not LOG_LINE.match(line)]
    while shown and not shown[-1].strip():
        shown.pop()
    while came and not came[-1].strip():
        came.pop()
    return shown, came


@pytest.mark.parametrize("page", [page for page in PAGES if fences(page, "console")], ids=name_of)
def test_every_session_goes_as_it_is_shown(page, tmp_path):
    steps = steps_of(page)
    for number, (step, came, status) in enumerate(play(steps, tmp_path)):
        where = f"{name_of(page)}:{step.line}: $ {step.command}"
        assert status is not None, f"{where}\nwas not reached, or did not end"
        shown, came = heard(step, came)
        assert is_as_shown(shown, came), "\n".join([where, "-- shown", *shown, "-- came", *came])
        asked = number + 1 < len(steps) and steps[number + 1].command == "echo $?"
        assert status == 0 or asked, f"{where}\nexit status {status}\n" + "\n".join(came)


def test_a_session_that_shows_something_else_is_noticed():
    assert is_as_shown(["landing 3 (9c4f2afc5a)", "…", "end"], ["landing 3 (94c4f2afc5)", "x", "y", "end"])
    assert not is_as_shown(["landing 3"], ["landing 4"])
    assert not is_as_shown(["a", "…", "end"], ["a", "x"])
    assert not is_as_shown(["a"], ["a", "b"])


# -- links -------------------------------------------------------------------------------------------------------

def prose(page):
    """The text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)


def anchors(page):
    """As forges make them from headings."""
    heads = re.findall(r"^#+ +(.+?)\s*$", prose(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name_of(page)}: {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{name_of(page)}: {target}: no such heading"


def test_every_page_can_be_reached_from_the_readme():
    reached, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", prose(page)):
            if not re.match(r"[a-z]+:", target):
                there = (page.parent / target).resolve()
                open_pages += [there] if there.suffix == ".md" else sorted(there.glob("*.md"))
    assert sorted(name_of(page) for page in PAGES if page not in reached) == []


# -- commands ----------------------------------------------------------------------------------------------------

@functools.cache
def table():
    said = subprocess.run([BUILD / "drover", "help", "--json"], capture_output=True, check=True, text=True).stdout
    read = json.loads(said)
    return {command["name"]: command for command in read["commands"]}, read["options"], read["exit_codes"]


def problem_of(words):
    """What is wrong with a command line after `drover`, as words; None when nothing is."""
    commands, general, _ = table()
    groups = {name.split()[0] for name in commands if " " in name}
    named = {"--" + option["name"]: option for option in general}
    at = 0
    while at < len(words) and words[at].startswith("--"):
        if words[at].split("=")[0] not in named:
            return f"no option {words[at]}"
        at += 2 if named[words[at].split("=")[0]]["argument"] and "=" not in words[at] else 1
    words = words[at:]
    if not words or words[0] == "help" or not re.match(r"[a-z]", words[0]):
        return None
    name = " ".join(words[:2]) if words[0] in groups else words[0]
    if words[0] in groups and (len(words) == 1 or not re.match(r"[a-z]", words[1])):
        return None  # the whole group is meant
    if name not in commands:
        return f"no command {name}"
    named.update({"--" + option["name"]: option for option in commands[name]["options"]})
    given = [word for word in words[len(name.split()):]]
    positions, skip = 0, False
    for word in given:
        if skip:
            skip = False
        elif word.startswith("--"):
            if word.split("=")[0] not in named:
                return f"{name} has no option {word}"
            skip = bool(named[word.split("=")[0]]["argument"]) and "=" not in word
        else:
            positions += 1
    arguments = commands[name]["arguments"]
    many = "…" in arguments
    if not many and positions > len(arguments.split()):
        return f"{name} {arguments} takes no {positions} arguments"
    return None


def words_of(line):
    """As the shell parts it: words, and operators as words of their own."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
        lexer.whitespace_split = True
        return list(lexer)
    except ValueError:
        return line.split()


BEFORE = re.compile(r"sudo|exec|-u|[A-Z_]+=.*|\$|\*/5|\*")


def lines_of_commands(text):
    """Each `drover …` of a piece of shell, as words without `drover`."""
    for line in text.replace("\\\n", " ").splitlines():
        words = words_of(re.sub(r"(?<=\s)[12](?=>)", "", line))
        while words:
            stop = next((at for at, word in enumerate(words) if re.fullmatch(r"[;&|()<>]+", word)), len(words))
            command, words = words[:stop], words[stop + 1:]
            while command and (BEFORE.fullmatch(command[0]) or command[1:2] == ["drover"] and command[0] == "drover"):
                command = command[1:]
            if command and command[0] == "drover":
                yield command[1:]


@pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("docs/man/*.scd"))], ids=name_of)
def test_every_command_that_a_page_shows_exists(page):
    text = page.read_text()
    if page.suffix == ".scd":
        shown = re.findall(r"^\s*```\n(.*?)^\s*```$", text, flags=re.M | re.S)
        shown += [plain for plain in re.findall(r"\*(drover [a-z][^*]*)\*", text.replace("\\", ""))]
    else:
        shown = ["\n".join(line[2:] if line[:2] in ("$ ", "> ") else line for line in lines
                           if kind != "console" or line[:2] in ("$ ", "> "))
                 for _, kind, lines in fences(page) if kind in ("console", "sh", "ini", "")]
        shown += re.findall(r"^    (?:\w+\$ )?(drover .*)$", text, flags=re.M)
        shown += re.findall(r"`([^`\n]*drover [^`\n]*)`", prose(page))
    wrong = [f"drover {shlex.join(words)}: {problem_of(words)}"
             for piece in shown for words in lines_of_commands(piece) if problem_of(words)]
    assert wrong == []


# Words that follow the program's name in sentences about it.
SENTENCE = {"works", "work", "puts", "takes", "by", "and", "or", "may", "for", "drover", "made", "has", "holds", "job", "write"}


def texts_of(path):
    """The string constants of a C file, neighbours joined as the compiler does."""
    code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    code = re.sub(r'"\s*(?:PRI\w+|G_G\w+_FORMAT)\s*"', "0", code)
    code = re.sub(r'(?<!\\)"\s*\n\s*"', "", code)
    return [text.replace("\\n", "\n").replace('\\"', '"') for text in re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)]


def test_messages_of_the_programs_name_real_commands():
    commands = table()[0]
    known = {name.split()[0] for name in commands}
    wrong = []
    for path in sorted([*ROOT.glob("src/**/*.c"), *ROOT.glob("src/**/*.h")]):
        for text in texts_of(path):
            for match in re.finditer(r"\bdrover ((?:[a-z][a-z-]*)(?: [^\n;,.)'`|&>]+)?)", text):
                words = re.sub(r"(\w)%s", r"\1 %s", match[1]).split()
                if words[0] in SENTENCE:
                    continue
                stop = next((at for at, word in enumerate(words) if word in ("lists", "explains", "and", "or", "#")),
                            len(words))
                problem = problem_of(words[:stop]) if words[0] in known else f"no command {words[0]}"
                # Sentences go on after a command; only its name and options are held to the table.
                if problem and "arguments" not in problem:
                    wrong.append(f"{name_of(path)}: drover {match[1]}: {problem}")
    assert wrong == []


# -- tables ------------------------------------------------------------------------------------------------------

def rows_under(page, heading):
    text = page.read_text().partition(f"\n{heading}\n")[2]
    text = re.split(r"^#", text, maxsplit=1, flags=re.M)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("| `")]


def test_the_table_of_metrics_is_what_the_server_says(web, server):
    web("node add n1 --product web --channel release --no-invite")
    asking = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics", headers={"Authorization": f"Bearer {admin_token(web)}"})
    with urllib.request.urlopen(asking, timeout=20) as answer:
        said = answer.read().decode()
    names = {re.match(r"\w+", line)[0] for line in said.splitlines() if line and not line.startswith("#")}
    described = [row[0].strip("`").partition("{")[0] for row in rows_under(ROOT / "docs/guide.md", "### Metrics")]
    assert sorted(described) == sorted(names)


def test_the_page_about_the_api_knows_its_routes_and_errors():
    document = yaml.safe_load((ROOT / "src/api/openapi.yaml").read_text())
    page = ROOT / "docs/api.md"
    cells = "\n".join(row[0] for row in rows_under(page, "## Routes"))
    shown = {path for path in re.findall(r"/[\w{}/.-]+", cells.replace("…/", "/products/{product}/"))}
    assert shown == set(document["paths"])
    kinds = document["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["kind"]["enum"]
    assert sorted(row[0].strip("`") for row in rows_under(page, "## Errors")) == sorted(kinds)
    _, _, codes = table()
    statuses = {int(row[2]) for row in rows_under(page, "## Errors")}
    assert statuses == {code["status"] for code in codes} - {0}


def test_the_guide_names_what_building_needs():
    lines = (ROOT / "tools/packages.txt").read_text().splitlines()
    needed = {line.split()[1] for line in lines if line.startswith("build ")} - {"util-linux", "ca-certificates"}
    install = (ROOT / "docs/guide.md").read_text().partition("apt-get install -y ")[2].partition("\nmeson")[0]
    assert needed - set(install.split()) == set()


# Numbers that shape the inside and limit nothing that comes from outside.
INSIDE = {"US_PER_SECOND", "US_PER_DAY", "STORE_CACHED_STATEMENTS", "STORE_CACHED_PARAMETERS", "STORE_BATCH_MAXIMUM_PARAMETERS",
          "GIT_BATCH_BYTES"}
LIMIT = re.compile(
    r"^#define\s+([A-Z]\w*(?:MAXIMUM|MINIMUM|PER_|_BYTES|_MS|_S\b|_DAYS|_HOURS|_MINUTES|TRIES|KEPT|PATIENCE|_FREE_|"
    r"LANDINGS|COLUMNS|_EVERY_|_RETRY)\w*)[\s\\]+(.+?)\s*(?:/\*.*)?$", re.M)


def number_of(text, known):
    """The value of a constant expression of numbers and names."""
    expression = re.sub(r"\((?:gsize|gint64)\)|G_GINT64_CONSTANT", "", text)
    expression = re.sub(r"[A-Z]\w+", lambda match: str(known[match[0]]), expression)
    assert re.fullmatch(r"[\d\s()*+<-]+", expression), text
    return eval(expression)  # only digits and signs, see above


def limits_of_headers():
    known = {}
    for header in sorted(ROOT.glob("src/**/*.h")):
        text = re.sub(r"\\\n\s*", "", header.read_text())
        for name, value in LIMIT.findall(text):
            value = value.partition("/*")[0].strip()
            if '"' not in value and name not in INSIDE:
                known[name] = number_of(value, known)
    return known


def test_the_table_of_limits_is_what_the_headers_say():
    described = {}
    for row in rows_under(ROOT / "docs/limits.md", "## All of them"):
        described[row[0].strip("`")] = int(row[1].replace(",", ""))
    assert described == limits_of_headers()
