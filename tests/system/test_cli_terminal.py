# SPDX-License-Identifier: ISC
"""What a person sees at a terminal, and what a log collector reads."""
import contextlib
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


def type_passwords(drover, *typed):
    """Answers the questions of `user password ada`; gives the exit status and all that was shown."""
    outer, inner = pty.openpty()
    running = subprocess.Popen(drover.words("user password ada"), stdin=inner, stdout=inner, stderr=inner,
                               cwd=drover.folder, env=drover.environment)
    os.close(inner)
    said = b""
    for question, answer in zip((b"Password: ", b"Again: "), typed):
        while not said.endswith(question):
            said += os.read(outer, 1024)
        os.write(outer, answer)
    with contextlib.suppress(OSError):
        while True:
            said += os.read(outer, 1024)
    os.close(outer)
    return running.wait(), said


def test_a_password_is_not_shown_as_it_is_typed(web):
    web("user add ada ada@example.org")
    code, said = type_passwords(web, b"correct horse battery\n", b"correct horse battery\n")
    assert code == 0 and b"horse" not in said
    assert web.json("user show ada")["has_password"] is True


def test_a_password_typed_twice_differently_or_given_up_changes_nothing(web):
    web("user add ada ada@example.org")
    code, said = type_passwords(web, b"correct horse battery\n", b"correct horse\n")
    assert code == 2 and b"not the same" in said
    code, said = type_passwords(web, b"correct\x03\n")
    assert code == 2 and b"given up" in said
    assert web.json("user show ada")["has_password"] is False
