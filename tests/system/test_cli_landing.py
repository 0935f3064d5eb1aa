# SPDX-License-Identifier: ISC
"""drover landing, qa, product: from a commit to an answer."""
import json
import pathlib
import re

import conftest
import openapi
import pytest

CASES = json.loads((pathlib.Path(__file__).parents[1] / "cases/deployable.json").read_text())


def test_from_a_commit_to_deployable(drover, repository):
    repository.commit("Fix login", "Bug: 7")
    assert "added web" in drover(f"product add web --repository {repository.path}").out
    assert "web: 1 new landing (1 commit); tip 1, deployable -" in drover("landing scan").out
    assert "no landing up to 1 may be deployed" in drover("landing deployable").out
    assert "drover qa ok 1 7" in drover("landing deployable").out
    done = drover("qa ok 1 7 --reason tested")
    assert done.out == "web 1 item 7: no verdict -> ok; the landing PENDING -> GOOD; deployable - -> 1\n"
    assert "landing 1" in drover("landing deployable").lines[0]
    assert "the tip, may be deployed" in drover("landing deployable").lines[0]



def test_who_begins_with_a_history_is_told_of_the_baseline_until_something_may_be_deployed(drover, repository):
    hint = "Is a landing of web live already? Accept it and all before it: drover product set web --baseline N"
    repository.commit("Change login", "Bug: 1")
    drover(f"product add web --repository {repository.path}")
    assert hint in drover("landing scan").err
    assert hint in drover("landing deployable").err
    assert hint not in drover("landing scan").err  # nothing is new: it was said
    drover("product set web --baseline 1")
    said = drover("landing deployable")
    assert "landing 1" in said.out and hint not in said.err


def test_everything_twice_is_no_change(web):
    before = web.json("history verify")
    assert "web: 0 new landings" in web("landing scan").out
    assert "ok already, nothing was written" in web("qa ok 1 1").out
    assert web.json("history verify") == before


def test_the_answer_in_words_says_what_blocks_and_what_to_type(web):
    said = web("landing deployable")
    assert re.match(r"web: landing 2 \([0-9a-f]{10}\) may be deployed, 3 landings behind the tip 5\.", said.out)
    assert "These landings block the tip 5:" in said.out
    assert "drover qa ok 3 3  item 3 is needs-testing" in said.out
    assert re.search(r'drover qa ok 4 4  item 4 is bad; or land a revert, or a fix with "Fixes-Landing: '
                     r'[0-9a-f]{10}"', said.out)


def test_the_picture_shows_each_landing_and_marks_the_deployable_one(web):
    assert web("landing deployable").lines[1:4] == ["  ●●◌✗◌", "   ^ 2", "  ● deployable  ◌ waits for QA  ✗ bad"]
    plain = web("landing deployable", LC_ALL="C").lines
    assert plain[1:4] == ["  ##?x?", "   ^ 2", "  # deployable  ? waits for QA  x bad"]


def test_a_revert_makes_the_tip_deployable_again(web, repository):
    repository.revert(repository.git("rev-parse", "HEAD~1"))
    web("landing scan")
    web("qa ok 3 3")
    web("qa ok 5 5")
    assert web.json("landing deployable")["deployable"] == 6
    assert "·" in web("landing deployable").lines[1]


def test_the_product_may_be_left_out_only_while_there_is_one(web):
    web("landing list")
    web("product add api")
    said = web("landing list", exits=2)
    assert "which product? Name one with --product: api, web" in said.err
    web("landing list web")
    web("qa ok 3 3 --product web")
    web("landing list web --product api", exits=2)


def test_no_product_says_how_to_add_one(drover):
    said = drover("landing list", exits=3)
    assert "drover product add NAME" in said.err


def test_what_is_not_there_exits_with_3(web):
    web("landing show 99", exits=3)
    web("landing list nothing", exits=3)
    web("history show 9999", exits=3)


def test_tables_line_up_with_wide_letters(web, repository):
    repository.commit("漢字 in the subject", "Bug: 6", author="grace")
    web("landing scan")
    lines = web("landing list").lines
    subjects = [line[lines[0].index("SUBJECT"):] for line in lines[1:]]
    assert subjects[0] == "漢字 in the subject"
    assert subjects[1] == "Change 5"


def test_a_commit_message_never_reaches_the_terminal_raw(web, repository):
    repository.commit("Red \x1b[31m bell\x07 \u202egnol", "Bug: 6\n\n\x1b]0;title\x07", author="grace")
    web("landing scan")
    for line in ("landing list", "landing show 6", "landing deployable", "landing owing", "landing where grace",
                 "product show", "landing list --color always"):
        said = web(line)
        raw = re.sub(r"\x1b\[[0-9;]*m", "", said.out) if "always" in line else said.out
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", raw), line
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", web("landing list --json").out)


def test_colour_only_when_asked_or_on_a_terminal(web):
    assert "\x1b[" not in web("landing list").out
    assert "\x1b[" in web("landing list --color always").out
    assert "\x1b[" not in web("landing list --color never").out
    web("landing list --color sometimes", exits=2)


@pytest.mark.parametrize("line,schema", [
    ("landing list", "LandingList"),
    ("landing show 4", "LandingDetail"),
    ("landing deployable", "Deployable"),
    ("landing owing", "[Owner]"),
    ("landing where ada", "WhereAnswer"),
    ("landing scan", "[ScanResult]"),
    ("landing scan web", "ScanResult"),
    ("qa bad 5 5", "VerdictResult"),
    ("product list", "[ProductSummary]"),
    ("product show", "Product"),
    ("product set --overdue-days 3", "ProductSettings"),
    ("status", "Status"),
    ("maintenance status", "Maintenance"),
    ("history list", "HistoryList"),
    ("history show 1", "HistoryEntry"),
    ("history verify", "HistoryVerdict"),
    ("store check", "StoreCheck"),
    ("notice list", "[Notice]"),
    ("remind", "RemindResult"),
    ("run", "RunResult"),
    ("user add ada ada@example.org", "Person"),
    ("host invite web1 --kind node", "Enrolment"),
])
def test_json_is_the_answer_of_the_api(web, line, schema):
    openapi.check(web.json(line), schema)


def test_pages_of_a_list_follow_each_other(web):
    first = web.json("landing list --limit 2")
    assert [each["ordinal"] for each in first["landings"]] == [5, 4]
    second = web.json(f"landing list --limit 2 --before {first['next']}")
    assert [each["ordinal"] for each in second["landings"]] == [3, 2]


def test_a_rewritten_branch_freezes_until_a_person_confirms(web, repository):
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit("Another change 5", "Bug: 5")
    web("landing scan", exits=9)
    assert web.json("landing deployable")["deployable"] == 2
    assert "FROZEN" in web("landing deployable").out
    assert "FROZEN" in web("product list").out
    assert "--confirm" in web("landing rebase", exits=2).err
    web("landing rebase --confirm --reason 'dropped a leaked key'")
    web("landing scan")
    assert "FROZEN" not in web("product list").out


def test_one_product_that_cannot_be_read_does_not_keep_the_others_waiting(web, repository, environment, tmp_path):
    lost = conftest.Repository(tmp_path / "lost", environment)
    lost.commit("Change 1", "Bug: 1")
    web(f"product add lost --repository {lost.path}")
    lost.path.rename(tmp_path / "away")
    repository.commit("Change 6", "Bug: 6")
    said = web("landing scan all", exits=3)
    assert "lost: " in said.err
    assert web.json("product show web")["summary"]["tip"] == 6


def test_landings_come_from_a_file_without_version_control(drover, tmp_path):
    drover("product add firmware --title Firmware")
    landings = [{"rev": 1, "revision": "r1", "subject": "First", "author": "Ada", "email": "ada@example.org",
                 "landed": "2026-11-02T08:00:00Z", "items": [{"id": "7", "state": "ok"}]}]
    (tmp_path / "landings.json").write_text(json.dumps({"landings": landings}))
    said = drover("landing import landings.json")
    assert "firmware: 1 new landing, 0 known already" in said.out
    said = drover("landing import -", stdin=json.dumps(landings))
    assert "firmware: 0 new landings, 1 known already" in said.out


def test_an_import_that_cannot_be_read_names_file_and_line(drover, tmp_path):
    drover("product add firmware")
    (tmp_path / "bad.json").write_text('{"landings": [\n{"revision": }]}')
    assert "bad.json:2" in drover("landing import bad.json", exits=2).err
    (tmp_path / "other.json").write_text('{"releases": []}')
    assert "other.json" in drover("landing import other.json", exits=2).err


def test_settings_that_somebody_changed_meanwhile_are_not_overwritten(web):
    version = web.json("product show")["settings"]["data_version"]
    web(f"product set --overdue-days 3 --data-version {version}")
    web(f"product set --overdue-days 4 --data-version {version}", exits=4)
    assert web.json("product show")["settings"]["overdue_days"] == 3
    web("product set", exits=2)
    web("product set --remind perhaps", exits=2)


def test_adding_a_product_twice_is_a_conflict(web):
    web("product add web", exits=4)


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["id"])
def test_what_if_answers_every_example_without_a_store(drover, tmp_path, case):
    (tmp_path / "what-if.json").write_text(json.dumps(case))
    said = drover("landing deployable --from what-if.json", alone=True)
    assert said.out.count("\n") == 1
    assert said.json["deployable"] == case["expect_deployable"]
    for answer in ("deployable_all", "blockers"):
        assert said.json[answer] == case.get(f"expect_{answer}", said.json[answer])
    assert not drover.state.exists()


def test_what_if_reads_standard_input_and_names_what_is_wrong(drover):
    text = '{"landings":[{"rev":1,"items":[{"id":7,"state":"ok"}],"qa":"required"}],"baseline":null}'
    said = drover("landing deployable --from -", stdin=text, alone=True)
    assert said.out == '{"deployable":1,"deployable_all":[1],"blockers":[]}\n'
    drover("landing deployable --from -", stdin="{", alone=True, exits=2)
    drover("landing deployable --from nowhere.json", alone=True, exits=3)
