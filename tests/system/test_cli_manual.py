# SPDX-License-Identifier: ISC
"""The help, the manual pages and the completion say what the command does, and nothing else."""
import json
import re
import subprocess

import pytest

from conftest import BUILD, ROOT

MANUAL = ROOT / "docs/man"
PAGES = sorted(MANUAL.glob("drover*.1.scd"))


@pytest.fixture(scope="module")
def table():
    said = subprocess.run([BUILD / "drover", "help", "--json"], capture_output=True, check=True, text=True).stdout
    return json.loads(said)


def plain(text):
    return re.sub(r"\\(.)", r"\1", text)


def sections(text):
    """Of a page's COMMANDS: command -> the text below it."""
    found = {}
    for part in re.split(r"^(?=\*drover )", plain(text).partition("# COMMANDS")[2].partition("\n# ")[0], flags=re.M):
        head = re.match(r"\*drover ([^*]+)\*", part)
        if head:
            found[head[1]] = part
    return found


def test_every_command_has_its_place_in_one_page_and_only_commands_do(table):
    described = [name for page in PAGES for name in sections(page.read_text())]
    assert sorted(described) == sorted(command["name"] for command in table["commands"])


def test_every_option_and_argument_stands_in_the_manual_and_only_those(table):
    texts = {name: text for page in PAGES for name, text in sections(page.read_text()).items()}
    for command in table["commands"]:
        text = texts[command["name"]]
        assert text.startswith(f"*drover {command['name']}* {command['arguments']}".rstrip() + "\n"), command["name"]
        options = [option["name"] for option in command["options"]]
        assert re.findall(r"^\t\*--([a-z-]+)\*", text, flags=re.M) == options, command["name"]


def test_global_options_and_exit_codes_stand_in_drover_1(table):
    text = plain((MANUAL / "drover.1.scd").read_text())
    options = text.partition("# OPTIONS")[2].partition("\n# ")[0]
    assert re.findall(r"^\*--([a-z-]+)\*", options, flags=re.M) == [option["name"] for option in table["options"]]
    codes = text.partition("# EXIT STATUS")[2].partition("\n# ")[0]
    assert re.findall(r"^\*(\d+)\* \((.+)\)$", codes, flags=re.M) == [
        (str(code["status"]), code["name"]) for code in table["exit_codes"]]


def test_no_command_has_an_option_called_as_a_global_one(table):
    """But for --version with a value, which no switch can be taken for."""
    taken = {option["name"] for option in table["options"]}
    for command in table["commands"]:
        own = {option["name"] for option in command["options"] if option["name"] != "version" or not option["argument"]}
        assert not taken & own, command["name"]


def test_version_with_a_value_is_the_commands_own(drover):
    assert drover("--version").out == drover("version").out
    assert "drover" not in drover("release build web --version 1.0.0", exits=3).out


def test_every_key_of_the_configuration_stands_in_drover_conf_5(drover):
    text = plain((MANUAL / "drover.conf.5.scd").read_text()).partition("# KEYS")[2].partition("\n# EXAMPLE")[0]
    section, described = None, []
    for line in text.splitlines():
        if line.startswith("## ["):
            section = line[4:-1]
        key = re.match(r"\*([a-z-]+)\* \((.+)\)$", line)
        if key:
            described.append([section, key[1], key[2], None])
        default = re.search(r" Default: _(.+)_\.$", line)
        if default:
            described[-1][3] = default[1]
    keys = drover("config keys --json", alone=True).json
    assert described == [[key["section"], key["key"], key["type"], key["default"]] for key in keys]


def test_every_option_of_droverd_stands_in_droverd_8():
    said = subprocess.run([BUILD / "droverd", "--help"], capture_output=True, check=True, text=True).stdout
    text = plain((MANUAL / "droverd.8.scd").read_text()).partition("# OPTIONS")[2].partition("\n# ")[0]
    options = [name for name in re.findall(r"^  (?:-\w, )?--([a-z-]+)", said, flags=re.M) if name != "help"]
    assert re.findall(r"^\*--([a-z-]+)\*", text, flags=re.M) == options


def test_every_option_of_drover_lvs_stands_in_drover_lvs_8():
    said = subprocess.run([BUILD / "drover-lvs", "run", "--help"], capture_output=True, check=True, text=True).stdout
    text = plain((MANUAL / "drover-lvs.8.scd").read_text()).partition("# OPTIONS")[2].partition("\n# ")[0]
    options = [name for name in re.findall(r"^  (?:-\w, )?--([a-z-]+)", said, flags=re.M) if name != "help"]
    assert re.findall(r"^\*--([a-z-]+)\*", text, flags=re.M) == options


def test_every_key_of_the_balancer_stands_in_drover_lvs_conf_5():
    said = subprocess.run([BUILD / "drover-lvs", "keys"], capture_output=True, check=True, text=True).stdout
    text = plain((MANUAL / "drover-lvs.conf.5.scd").read_text()).partition("# KEYS")[2].partition("\n# EXAMPLE")[0]
    described = re.findall(r"^\*([a-z0-9.-]+)\* \((.+)\)\n\t(.+?)\.(?: Default: _(.+)_\.)?$", text, flags=re.M)
    keys = re.findall(r"^# (.+)\n# (.+)\n(?:# )?([a-z0-9.-]+) =(?: (.*))?$", said, flags=re.M)
    assert len(keys) > 60
    assert [(name, allowed, summary.lower(), default) for name, allowed, summary, default in described] == [
        (name, allowed, summary.lower(), default) for summary, allowed, name, default in keys]


def test_help_explains_each_command_with_an_example(drover, table):
    overview = drover("help", alone=True).out
    for command in table["commands"]:
        said = drover(f"help {command['name']}", alone=True).out
        assert said == drover(f"{command['name']} --help", alone=True).out
        assert said.startswith(f"{command['summary']}.\n\nUsage: drover {command['name']}")
        assert f"drover {command['name']}" in said.partition("\nExamples\n")[2], command["name"]
        assert command["name"] in overview
        for option in command["options"]:
            assert f"--{option['name']}" in said


def test_see_also_names_commands_that_are_there(drover, table):
    names = {command["name"] for command in table["commands"]}
    for command in table["commands"]:
        see = re.search(r"^See also: (.*)\.$", drover(f"help {command['name']}", alone=True).out, flags=re.M)
        assert see is None or set(see[1].split(", ")) <= names, command["name"]


@pytest.mark.parametrize("typed,meant", [
    ("landing deployabel", "deployable"),
    ("lading list", "landing"),
    ("qa untesteble 1 2", "untestable"),
    ("landing list --limti 3", "--limit"),
    ("stauts", "status"),
    ("help maintenence", "maintenance"),
])
def test_a_typo_gets_a_suggestion(drover, typed, meant):
    assert f"did you mean '{meant}'?" in drover(typed, exits=2, alone=True).err


@pytest.mark.parametrize("typed,problem", [
    ("", "no command was given"),
    ("landing", "no command was given"),
    ("landing show", "too little was said; usage: drover landing show LANDING"),
    ("landing show 1 2", "many words"),
    ("landing list --limit", "--limit needs a value: --limit N"),
    ("landing rebase --confirm=yes", "--confirm takes no value"),
    ("landing list -x", "no option '-x'"),
])
def test_what_cannot_be_read_exits_with_2_and_says_why(drover, typed, problem):
    assert problem in drover(typed, exits=2, alone=True).err


def test_options_stand_before_and_after_the_command(drover):
    drover(["--json", "--state", drover.state, "status", *drover.words("")[len(drover.place) + 1:]], alone=True)
    drover([f"--state={drover.state}", "status", "--json", *drover.words("")[len(drover.place) + 1:]], alone=True)


def test_an_answer_that_cannot_be_written_is_a_failure(drover):
    with open("/dev/full", "w") as full:
        done = subprocess.run(drover.words("help", alone=True), stdout=full, stderr=subprocess.PIPE, check=False,
                              env=drover.environment)
    assert done.returncode == 1 and b"cannot write the answer" in done.stderr


def complete(environment, *words):
    """What bash offers for the last of the words."""
    script = (f". <({BUILD}/drover completion bash); COMP_WORDS=({' '.join(repr(word) for word in words)}); "
              f"COMP_CWORD={len(words) - 1}; _drover; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True,
                          env=environment).stdout.split()


def test_bash_completes_commands_and_options(environment):
    assert complete(environment, "drover", "lan") == ["landing"]
    assert complete(environment, "drover", "landing", "re") == ["rebase"]
    assert complete(environment, "drover", "landing", "rebase", "--co") == ["--confirm", "--config", "--color"]
    assert complete(environment, "drover", "landing", "list", "--color", "al") == ["always"]
