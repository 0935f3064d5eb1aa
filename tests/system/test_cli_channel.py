# SPDX-License-Identifier: ISC
"""drover channel: the commands that need no store, as a release engineer types them."""
import json
import os
import subprocess

import pytest

from conftest import BUILD, ROOT


def drover(*arguments, given=None):
    return subprocess.run([BUILD / "drover", "channel", *arguments], input=given, capture_output=True, text=True, timeout=60)


def test_every_example_is_answered_as_it_says(tmp_path):
    examples = json.loads((ROOT / "tests/cases/rules.json").read_text())["cases"]
    assert len(examples) >= 30
    for example in examples:
        path = tmp_path / "what-if.json"
        path.write_text(json.dumps({**example["snapshot"],
                                    **{key: example[key] for key in ("pending", "queries", "cuts") if key in example}}))
        answer = drover("answer", "--snapshot", str(path))
        assert answer.returncode == 0, answer.stderr
        found = json.loads(answer.stdout)
        expected = example.get("expect_at_cut", {"0": example.get("expect")})
        for cut, answers in expected.items():
            for position, wanted in enumerate(answers):
                assert wanted.items() <= found["answers"][cut][position].items(), (example["id"], cut)


def test_the_page_s_example_is_answered_as_the_page_says():
    page = (ROOT / "docs/channel.md").read_text().partition("## What if")[2]
    blocks = [text for text in page.split("\n\n") if text.startswith("    {")]
    answer = drover("answer", "--snapshot", "-", given=blocks[0])
    assert json.loads(answer.stdout) == json.loads(blocks[1])


def page_example():
    page = (ROOT / "docs/channel.md").read_text().partition("## What if")[2]
    return next(text for text in page.split("\n\n") if text.startswith("    {"))


def test_explain_says_why():
    words = ["product=web", "channel=release", "version=1.3.0", "platform=x86_64", "locale=en"]
    answer = drover("explain", "--snapshot", "-", *words, given=page_example())
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "gets web-1.4.0: the rule's release"
    missed = json.loads(drover("explain", "--snapshot", "-", "channel=beta", "product=web", "--json",
                               given=page_example()).stdout)
    assert missed["rules"][0]["missed"] == [{"column": "channel", "wanted": "release"}] and missed["rules"][0]["near"]
    wrong = drover("explain", "--snapshot", "-", "web", given=page_example())
    assert wrong.returncode == 2 and "KEY=VALUE" in wrong.stderr


def test_lint_names_what_cannot_be_meant():
    rules = {"rules": [{"rule_id": 1, "priority": 2, "mapping": "A"}, {"rule_id": 2, "channel": "beta-test"}]}
    found = json.loads(drover("lint", "--snapshot", "-", "--json", given=json.dumps(rules)).stdout)["found"]
    assert [(one["rule_id"], one["kind"]) for one in found] == [(2, "shadowed"), (2, "test-channel")]
    assert drover("lint", "--snapshot", "-", given=page_example()).stdout == "nothing found\n"


def test_diff_lists_whose_answers_the_queue_alters():
    found = json.loads(drover("diff", "--snapshot", "-", "--json", given=page_example()).stdout)["differences"]
    assert found
    assert {(one["before"]["mapping"], one["after"]["mapping"]) for one in found} <= {("web-1.4.0", None), ("web-1.3.9", None)}
    assert {one["query"]["draw"] for one in found} == {25}
    assert drover("diff", "--snapshot", "-", "--cut", "4", given=page_example()).stdout == "no answer differs\n"


def test_versions_compare_by_scheme():
    examples = json.loads((ROOT / "tests/cases/rules.json").read_text())["versions"]
    for example in examples:
        answer = drover("version", example["a"], example["op"], example["b"], "--scheme", example["scheme"])
        assert (answer.returncode, answer.stdout) == (0, "true\n" if example["result"] else "false\n"), example
    assert drover("version", "60.0a1", "<", "60.0").stdout == "true\n"
    assert json.loads(drover("version", "60.0", ">", "60.0", "--json").stdout) == {"holds": False}


@pytest.mark.parametrize("words, wanted", [
    (["60", "=", "60.0"], "'60' is no version of the scheme mozilla"),
    (["60.0", "=", "60.x"], "'60.x' is no version"),
    (["60.0", "<", "60.*"], "a star may only end"),
    (["60.0", "==", "60.0"], "'==' is no operator"),
    (["60.0", "=", "60.0", "--scheme", "debian"], "'debian' is no scheme"),
])
def test_what_cannot_be_compared_is_refused_with_exit_2(words, wanted):
    answer = drover("version", *words)
    assert answer.returncode == 2
    assert wanted in answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize("text, wanted", [
    ("[]", "must be an object"),
    ("{", "what-if.json:1:"),
    ('{"queries": 7}', "queries: must be a list"),
    ('{"queries": [], "schemes": {"P": "debian"}}', "schemes: P: 'debian' is no scheme"),
    ('{"queries": [], "pending": [{"when": 5}]}', "pending: must be a list of objects with id and when"),
    ('{"queries": [], "cuts": ["x"]}', "cuts: must be a list of times"),
    (json.dumps({"queries": [{}] * 1001, "cuts": [0] * 1000}), "cuts x queries may be 1000000"),
])
def test_a_file_that_is_no_good_names_itself(tmp_path, text, wanted):
    path = tmp_path / "what-if.json"
    path.write_text(text)
    answer = drover("answer", "--snapshot", str(path))
    assert answer.returncode == 2
    assert wanted in answer.stderr and str(path) in answer.stderr
    os.unlink(path)
    assert drover("answer", "--snapshot", str(path)).returncode == 3
