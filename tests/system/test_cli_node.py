# SPDX-License-Identifier: ISC
"""What drover-node says of itself, and how it refuses: help, manual, completion, exit codes, JSON."""
import json
import re
import subprocess
import time

import pytest

import node_bed
from conftest import BUILD, ROOT
from test_cli_manual import plain

MANUAL = plain((ROOT / "docs/man/drover-node.8.scd").read_text())
PROGRAM = BUILD / "drover-node"


def run(*words, exits=0, **environment):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=False, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment})
    assert done.returncode == exits, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if exits == 0 else done.stderr


@pytest.fixture(scope="module")
def table():
    return json.loads(run("help", "--json"))


class Place:
    """web 1.0.0, 1.1.0 and 1.2.0 in a repository of now, and a configuration."""

    def __init__(self, folder):
        self.repository = node_bed.Repository(folder)
        self.repository.issued = int(time.time()) - 600
        for sequence, version in enumerate(("1.0.0", "1.1.0", "1.2.0"), 1):
            self.repository.release(version, sequence, size=2_000)
        self.repository.index(expires=int(time.time()) + node_bed.WEEK)
        self.node = node_bed.Node(folder / "node", self.repository)
        self.prefix = self.node.prefix
        text = self.node.conf.read_text()
        self.node.conf.write_text(f"[node]\nstate = {folder}/state\n{text}")

    def __call__(self, *words, exits=0):
        return run(*words, "--config", self.node.conf, exits=exits)

    def json(self, *words):
        return json.loads(self(*words, "--json"))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


# -- of itself ---------------------------------------------------------------------------------------------------

def test_every_command_and_option_stands_in_drover_node_8(table):
    parts = re.split(r"^(?=\*drover-node )", MANUAL.partition("# COMMANDS")[2].partition("\n# ")[0], flags=re.M)[1:]
    assert [re.match(r"\*drover-node ([^*]+)\*", part)[1] for part in parts] == [
        command["name"] for command in table["commands"]]
    for part, command in zip(parts, table["commands"]):
        assert part.startswith(f"*drover-node {command['name']}* {command['arguments']}".rstrip() + "\n"), command["name"]
        assert command["summary"] in part
        assert re.findall(r"^\t\*--([a-z-]+)\*", part, flags=re.M) == [option["name"] for option in command["options"]]


def test_global_options_and_exit_codes_stand_in_drover_node_8(table):
    options = MANUAL.partition("# OPTIONS")[2].partition("\n# ")[0]
    assert re.findall(r"^\*--([a-z-]+)\*", options, flags=re.M) == [option["name"] for option in table["options"]]
    codes = MANUAL.partition("# EXIT STATUS")[2].partition("\n# ")[0]
    assert re.findall(r"^\*(\d+)\* \((.+)\)$", codes, flags=re.M) == [
        (str(code["status"]), code["name"]) for code in table["exit_codes"]]


def test_the_exit_codes_are_those_of_drover(table):
    said = subprocess.run([BUILD / "drover", "help", "--json"], capture_output=True, check=True).stdout
    assert table["exit_codes"] == json.loads(said)["exit_codes"]


def test_every_key_of_the_configuration_stands_in_drover_node_conf_5():
    text = plain((ROOT / "docs/man/drover-node.conf.5.scd").read_text()).partition("# KEYS")[2].partition("\n# EXAMPLE")[0]
    section, described = None, []
    for line in text.splitlines():
        if line.startswith("## ["):
            section = line[4:-1]
        key = re.match(r"\*([a-z-]+)\* \((.+)\)$", line)
        if key:
            described.append([section, key[1], key[2], None])
        default = re.search(r"Default: _(.+)_\.$", line)
        if default:
            described[-1][3] = default[1]
    assert described == [[key["section"], key["key"], key["type"], key["default"]]
                         for key in json.loads(run("keys", "--json"))]


def test_the_printed_keys_are_a_configuration(tmp_path):
    (tmp_path / "node.conf").write_text(run("keys").replace("[PRODUCT]", "[web]\nsources = /srv/releases"))
    assert "1 product" in run("check-config", tmp_path / "node.conf")


def test_help_explains_each_command_with_an_example(table):
    overview = run("help")
    for command in table["commands"]:
        said = run("help", command["name"])
        assert said == run(command["name"], "--help")
        assert said.startswith(f"{command['summary']}.\n\nUsage: drover-node {command['name']}")
        assert f"drover-node {command['name']}" in said.partition("\nExamples\n")[2]
        assert command["name"] in overview


def test_see_also_names_commands_that_are_there(table):
    names = {command["name"] for command in table["commands"]}
    for name in names:
        see = re.search(r"^See also: (.*)\.$", run("help", name), flags=re.M)
        assert see is None or set(see[1].split(", ")) <= names, name


def complete(*words):
    """What bash offers for the last of the words."""
    script = (f". <({PROGRAM} completion bash); COMP_WORDS=({' '.join(repr(word) for word in words)}); "
              f"COMP_CWORD={len(words) - 1}; _drover_node; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True).stdout.split()


def test_bash_completes_commands_and_options():
    assert complete("drover-node", "roll") == ["rollback"]
    assert complete("drover-node", "maintenance", "on", "--u") == ["--until"]
    assert complete("drover-node", "gc", "--") == [
        "--keep", "--dry-run", "--config", "--json", "--quiet", "--color", "--log-json", "--help", "--version"]


@pytest.mark.parametrize("words,problem", [
    ([], "no command was given"),
    (["instal"], "did you mean 'install'?"),
    (["gc", "--kepe", "1"], "did you mean '--keep'?"),
    (["activate"], "too little was said; usage: drover-node activate [PRODUCT] VERSION"),
    (["install", "a", "b", "c"], "too many words"),
])
def test_what_cannot_be_read_exits_with_2_and_says_why(words, problem):
    said = run(*words, exits=2)
    assert problem in said and said.startswith("drover-node: error: ")


# -- deeds -------------------------------------------------------------------------------------------------------

def test_a_release_from_fetching_to_removal(place):
    assert place("install", "web", "1.0.0") == "web 1.0.0 is installed\n"
    assert place.json("activate", "1.0.0") == {"product": "web", "running": "1.0.0", "before": None}
    assert place.json("install") == {"product": "web", "version": "1.2.0", "running": False}
    assert place("activate", "web", "1.2.0") == "web runs 1.2.0, and 1.0.0 before\n"
    assert place("install", "1.2.0") == "web 1.2.0 runs already\n"
    assert place("verify") == "web 1.2.0 is on the disk as it was signed\n"
    assert place.json("verify", "web", "1.0.0") == {"product": "web", "version": "1.0.0", "good": True}
    assert place("rollback") == "web runs 1.0.0, and 1.2.0 before\n"
    place("install", "1.1.0")
    assert place.json("gc", "--keep", "0", "--dry-run") == {"product": "web", "removed": ["1.1.0"], "dry_run": True}
    assert place("gc", "web", "--keep", "0") == "1.1.0 is removed\n"
    assert sorted(path.name for path in (place.prefix / "releases").iterdir()) == ["1.0.0", "1.2.0"]


def test_an_older_release_is_refused_and_the_way_back_is_named(place):
    place("install")
    place("activate", "1.2.0")
    said = place("install", "1.0.0", exits=5)
    assert "only an order goes back" in said and "drover-node rollback web 1.0.0" in said
    assert place("rollback", "1.0.0") == "web runs 1.0.0, and 1.2.0 before\n"
    said = place("activate", "web", "1.1.0", exits=3)
    assert "drover-node install web 1.1.0" in said


def test_a_tree_that_was_changed_does_not_verify(place):
    place("install", "1.0.0")
    place("activate", "1.0.0")
    data = place.prefix / "releases/1.0.0/data"
    data.write_bytes(data.read_bytes()[:-1] + b"X")
    assert "data (changed)" in place("verify", exits=1)


def test_the_status_says_what_runs(place):
    place("install", "1.0.0")
    place("activate", "1.0.0")
    product = place.json("status", "web")["products"][0]
    assert (product["running"], product["sequence"], product["state"]) == ("1.0.0", 1, "idle")
    assert product["installed"] == [{"version": "1.0.0", "sequence": 1}] and product["should"] is None
    lines = place("status").splitlines()
    assert lines[0].split() == ["PRODUCT", "RUNS", "SHOULD", "STATE", "NEXT"]
    assert lines[1].split()[:4] == ["web", "1.0.0", "-", "idle"]
    assert "runs       1.0.0\n" in place("status", "web")


@pytest.mark.parametrize("words,exits,problem", [
    (["status", "shop"], 3, "no product shop"),
    (["install", "shop", "1.0.0"], 3, "no product shop"),
    (["install", "9.9.9"], 3, "no release 9.9.9"),
    (["install", "../etc"], 2, "version"),
    (["rollback"], 3, "activate a version"),
    (["verify"], 3, "nothing of web runs here"),
    (["gc", "--keep", "many"], 2, "--keep"),
    (["hold", "web"], 2, "has no run"),
    (["maintenance", "on", "--reason", "x", "--until", "1h"], 2, "has no run"),
    (["run"], 2, "nobody to follow"),
])
def test_refusals_say_what_is_wrong(place, words, exits, problem):
    assert problem in place(*words, exits=exits)


def test_with_several_products_one_must_be_named(place):
    conf = place.node.conf
    conf.write_text(conf.read_text() + f"[api]\nsources = {place.repository.path}\nprefix = {place.prefix}-api\n")
    assert "which product? Name one: web, api" in place("install", exits=2)
    assert "which product?" in place("maintenance", "status", exits=2)
    place("install", "web")
    assert len(place.json("status")["products"]) == 2


def test_a_missing_or_wrong_configuration_is_named(tmp_path):
    missing = tmp_path / "missing.conf"
    assert str(missing) in run("status", "--config", missing, exits=3)
    assert str(missing) in run("status", exits=3, DROVER_NODE_CONFIG=str(missing))
    (tmp_path / "wrong.conf").write_text("[web]\nprefix = srv\n")
    assert "wrong.conf:2:" in run("check-config", tmp_path / "wrong.conf", exits=2)
