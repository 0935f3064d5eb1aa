# SPDX-License-Identifier: ISC
"""What a person sees at a terminal, and what a log collector reads."""
import json
import os
import pty
import re
import subprocess


def at_terminal(drover, line, columns=60, **environment):
    """What comes out of a terminal of that width, stdout and stderr together."""
    outer, inner = pty.openpty()
    running = subprocess.Popen(
        drover.words(line), stdin=inner, stdout=inner, stderr=inner, cwd=drover.folder, close_fds=True,
        env={**drover.environment, "TERM": "xterm", "COLUMNS": str(columns), **environment})
    os.close(inner)
    said = b""
    while True:
        try:
            part = os.read(outer, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    assert running.wait() == 0, said
    os.close(outer)
    return said.decode().replace("\r\n", "\n")


def test_tables_fit_the_terminal_by_shortening_the_subject(web, repository):
    repository.commit("A subject that is longer than any terminal of eighty columns has room for", "Bug: 6")
    web("landing scan")
    said = re.sub(r"\x1b\[[0-9;]*m", "", at_terminal(web, "landing list", columns=90))
    assert all(len(line) <= 90 for line in said.splitlines())
    assert "A subject that is" in said and "…" in said
    assert "has room for" in web("landing list").out


def test_a_terminal_gets_colour_unless_it_does_not_want_it(web):
    assert "\x1b[1;31mBAD" in at_terminal(web, "landing list")
    assert "\x1b" not in at_terminal(web, "landing list", NO_COLOR="1")
    assert "\x1b" not in at_terminal(web, "landing list", TERM="dumb")
    assert "\x1b" not in at_terminal(web, "landing list --color never")


def test_a_person_reads_the_answer_and_not_the_log_too(web):
    said = at_terminal(web, "qa ok 3 3")
    assert said == "web 3 item 3: no verdict -> ok; the landing PENDING -> GOOD; deployable 2 -> 3\n"


def test_the_log_tells_each_transition_for_cron(web):
    said = web("qa ok 3 3")
    assert "event=landing.transition product=web landing=3 from=PENDING to=GOOD item=3" in said.err


def test_the_log_as_json_is_one_event_a_line(web):
    said = web("qa ok 3 3 --log-json")
    events = [json.loads(line) for line in said.err.splitlines()]
    assert [event["event"] for event in events][-1] == "landing.transition"
    assert events[-1]["to"] == "GOOD"


def test_quiet_says_answers_and_errors_only(web):
    for line in ("landing scan", "qa ok 3 3", "run", "product set --overdue-days 3", "store backup backup.db"):
        said = web(f"{line} --quiet")
        assert said.out == "" and said.err == "", line
    assert "LANDING" in web("landing list --quiet").out
    assert "drover: error: " in web("landing show 99 --quiet", exits=3).err


def test_a_password_is_not_shown_as_it_is_typed(web):
    web("user add ada ada@example.org")
    outer, inner = pty.openpty()
    running = subprocess.Popen(web.words("user password ada"), stdin=inner, stdout=inner, stderr=inner,
                               cwd=web.folder, env=web.environment)
    os.close(inner)
    said = b""
    for question in (b"Password: ", b"Again: "):
        while not said.endswith(question):
            said += os.read(outer, 1024)
        os.write(outer, b"correct horse battery\n")
    while True:
        try:
            said += os.read(outer, 1024)
        except OSError:
            break
    assert running.wait() == 0, said
    os.close(outer)
    assert b"horse" not in said
    assert web.json("user show ada")["has_password"] is True
