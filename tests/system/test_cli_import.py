# SPDX-License-Identifier: ISC
"""drover rule import, drover release-doc import: Balrog's rules and releases on a store, as who moves over types it."""
import json

from conftest import ROOT

RULES = ROOT / "tests/unit/channel/balrog/rules.json"
DIGEST = "0" * 128


def rules_of(drover):
    return {row["rule_id"]: row for row in drover.json("rule list")["rows"]}


def good_rules(folder):
    """The sample without what it has to refuse."""
    rules = [rule for rule in json.loads(RULES.read_text())["rules"] if rule["rule_id"] in {*range(10, 62), 77}]
    path = folder / "good.json"
    path.write_text(json.dumps({"rules": list({rule["rule_id"]: rule for rule in reversed(rules)}.values())}))
    return path


def blob(folder, name="Firefox-128.0-build2", **more):
    path = folder / "blob.json"
    path.write_text(json.dumps({
        "name": name, "schema_version": 9, "hashFunction": "sha512", "appVersion": "128.0", "displayVersion": "128.0",
        "fileUrls": {"*": {"completes": {"*": "https://cdn.example.org/%OS_BOUNCER%/%LOCALE%.mar"}}},
        "platforms": {"Linux_x86_64-gcc3": {"OS_BOUNCER": "linux64", "buildID": "20240704", "locales": {
            "de": {"completes": [{"from": "*", "filesize": 70, "hashValue": DIGEST}]}}}}, **more}))
    return path


def test_a_dry_run_says_everything_and_writes_nothing(drover):
    said = drover(f"rule import --balrog {RULES} --with-stub-releases --dry-run")
    assert said.lines[-1] == "43 rules read: 32 can be taken, 11 refused, 0 of other products; 16 stub releases"
    assert any(line.split()[:2] == ["70", "channel"] for line in said.lines)
    assert any(line.startswith("note: scheduled_change of 1 rule (61)") for line in said.lines)
    assert rules_of(drover) == {} and drover.json("release-doc list")["rows"] == []


def test_nothing_is_written_while_something_is_refused(drover):
    said = drover(f"rule import --balrog {RULES} --with-stub-releases", exits=4)
    assert "--without-refused" in said.err and rules_of(drover) == {}


def test_the_others_are_written_when_asked(drover):
    said = drover(f"rule import --balrog {RULES} --with-stub-releases --without-refused")
    assert "32 taken, 11 refused" in said.out
    rules = rules_of(drover)
    assert len(rules) == 32 and rules[10]["alias"] == "firefox-release" and rules[10]["rate"] == 25


def test_an_import_twice_overwrites_nothing(drover):
    path = good_rules(drover.folder)
    drover(f"rule import --balrog {path} --with-stub-releases")
    before = rules_of(drover)
    again = json.loads(drover(f"rule import --balrog {path} --json", exits=4).out)
    assert again["taken"] == 0 and not again["written"]
    assert {one["field"] for one in again["refused"]} == {"rule_id", "alias"}
    assert rules_of(drover) == before


def test_one_product_s_rules_are_taken_alone(drover):
    path = good_rules(drover.folder)
    said = drover.json(f"rule import --balrog {path} --product Thunderbird --with-stub-releases --without-refused")
    assert (said["taken"], said["stubs"]) == (5, 6)
    assert {row["product"] for row in rules_of(drover).values()} == {"Thunderbird"}


def test_a_release_takes_its_stub_s_place(drover):
    drover("channel settings Firefox --hosts cdn.example.org")
    drover(f"rule import --balrog {good_rules(drover.folder)} --with-stub-releases")
    drover(f"release-doc import --balrog {blob(drover.folder)} --product Firefox")
    row = drover.json("release-doc show Firefox-128.0-build2")["row"]
    files = row["platforms"]["Linux_x86_64-gcc3"]["locales"]["de"]["completes"]
    assert files == [{"from": "*", "url": "https://cdn.example.org/linux64/de.mar", "size": 70, "sha512": DIGEST}]
    again = drover(f"release-doc import --balrog {blob(drover.folder)} --product Firefox", exits=4)
    assert "a release of this name is there already" in again.out


def test_files_come_only_from_the_product_s_hosts(drover):
    drover("channel settings Firefox --hosts other.example.org")
    said = drover(f"release-doc import --balrog {blob(drover.folder)} --product Firefox", exits=4)
    assert "cdn.example.org" in said.out and drover.json("release-doc list")["rows"] == []


def test_a_file_that_is_none_is_refused(drover):
    assert "say --balrog FILE" in drover("rule import", exits=2).err
    said = drover("rule import --balrog -", exits=2, stdin='{"count": 2, "rules": [{"rule_id": 1}]}')
    assert "is a part of it missing?" in said.err
