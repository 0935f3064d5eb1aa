# SPDX-License-Identifier: ISC
"""Rules, changes and channels of a store, as a release engineer types them.

Each session is played on the store itself and through a server: the answers are the same."""
import json
import re

import pytest

from beds import wait_until
from conftest import through

RULES = """\
product add web
channel settings web --scheme semver --hosts cdn.example.org
release-doc put web-1.3.9.json
release-doc put web-1.4.0.json
rule add product=web channel=release priority=90 mapping=web-1.3.9 alias=stable
rule add product=web channel=beta priority=100 mapping=web-1.4.0 rate=25 version=<1.4.0 tag.rack=a,b
pin add web release 1.3. web-1.3.9
"""


def release(version):
    url = f"https://cdn.example.org/web-{version}.tar"
    files = {"completes": [{"from": "*", "url": url, "size": 7, "sha256": "0" * 64}]}
    return {"name": f"web-{version}", "product": "web", "version": version, "build_id": "20260101",
            "platforms": {"linux": {"locales": {"en": files}}}}


@pytest.fixture
def house(drover):
    """Two releases, two rules, a pin."""
    for version in ("1.3.9", "1.4.0", "1.5.0"):
        (drover.folder / f"web-{version}.json").write_text(json.dumps(release(version)))
    for line in RULES.splitlines():
        drover(line)
    return drover


def change_file(drover, ops, name="change.json", **more):
    (drover.folder / name).write_text(json.dumps({"title": "Web 1.4 for all", "reason": "it is good", "ops": ops, **more}))
    return name


RATE = [{"op": "update", "table": "rules", "rule_id": 2, "row": {"rate": 100}}]


def columns_line_up(text):
    """Each heading stands where its column's texts begin or, of numbers, where they end."""
    lines = text.splitlines()
    width = max(len(line) for line in lines)
    gaps = [at for at in range(width) if all(at >= len(line) or line[at] == " " for line in lines)]
    return len(re.split(r"\s{2,}", lines[0].strip())) - 1 <= len([at for at in gaps if at + 1 not in gaps])


def test_rules_are_listed_in_the_order_in_which_they_are_asked(house):
    said = house("rule list").out
    assert said == (
        "RULE  ALIAS   PRIORITY  PRODUCT  CHANNEL  RATE  MAPPING    ELSE  MATCHES\n"
        "   2  -            100  web      beta       25  web-1.4.0  -     version=<1.4.0 tag.rack=a,b\n"
        "   1  stable        90  web      release   100  web-1.3.9  -\n")
    assert house.json("rule list --channel beta")["rows"] == [house.json("rule show 2")["row"]]


def test_columns_are_set_and_taken_away(house):
    assert house("rule set stable rate=50 comment='half of them'").out == "changed rule 1: rate 50, comment half of them\n"
    assert house("rule set 1 rate= comment=").out == "changed rule 1: rate 50 -> none, comment half of them -> none\n"
    assert house("rule set 2 tag.rack=").out == "changed rule 2: tags rack=a, b -> none\n"
    row = house.json("rule show 1")["row"]
    assert "rate" not in row and "comment" not in row
    assert "rate 50 -> none" in house("rule show 1").out


@pytest.mark.parametrize("line, code, wanted", [
    ("rule set 1 rates=50", 2, "'rates' is no column of rules"),
    ("rule set 1 rate=500", 2, "rate"),
    ("rule set 9 rate=50", 3, "9"),
    ("rule show nobody", 3, "no rule has the number or alias 'nobody'"),
    ("rule set 1 rate=50 --data-version 7", 4, "7"),
    ("rule add product=web channel=release mapping=web-9", 4, "web-9"),
    ("rule add product=web channel=release alias=stable", 4, "stable"),
    ("rule add product=web channel=release alias=12", 2, "reads as the number of a rule"),
    ("rule add product=web channel=release build_id=", 2, "build_id= says nothing"),
    ("rule add product=web channel=release tag.rack=", 2, "leave it out to match anything"),
    ("pin add web release 1.5. web-1.4.0", 4, "web-1.4.0 is version 1.4.0, not of the line 1.5."),
    ("rule set 1 rate=50 --title x", 2, "--when"),
    ("rule set 1 rate=50 --when soon", 2, "'soon' is not a time"),
    ("release-doc delete web-1.3.9", 4, "web-1.3.9"),
    ("shutoff delete web release", 4, "is not there"),
    ("freeze add x --from then --until now", 2, "'then' is not a time"),
    ("signing-role set qa --tester maybe", 2, "--tester is yes or no"),
])
def test_what_cannot_be_is_refused_and_changes_nothing(house, line, code, wanted):
    before = house.json("history verify")
    assert wanted in house(line, exits=code).err
    assert house.json("history verify") == before


def test_an_edit_from_a_stale_version_is_refused(house):
    house("rule set 1 rate=50")
    house("rule set 1 rate=60 --data-version 1", exits=4)
    assert house.json("rule show 1")["row"]["rate"] == 50


def test_doing_it_twice_changes_nothing(house):
    for line in ("shutoff add web release --reason 'bad build'", "pin add web release 1.4. web-1.4.0",
                 "signing-role set qa --tester yes",
                 "channel declare release-cdntest --product web --base release --cut all",
                 "freeze add holidays --product web --from 2099-12-23 --until 2100-01-02 --reason rest",
                 "release-doc put web-1.3.9.json", "requirement set web release relman 2"):
        house(line)
        head = house.json("history verify")
        assert "is so already" in house(line).out, line
        assert house.json("history verify") == head


def test_small_tables_are_listed_and_their_rows_go(house):
    house("shutoff add web release --reason 'bad build'")
    assert house("shutoff list").out == "PRODUCT  CHANNEL  REASON\nweb      release  bad build\n"
    house("shutoff delete web release")
    assert house("shutoff list").out == ""
    house("freeze add holidays --product all --from 2026-12-23 --until 2027-01-02 --reason rest")
    assert house("freeze list").out == (
        "FREEZE    PRODUCT  FROM              UNTIL             REASON\n"
        "holidays  all      2026-12-23 00:00  2027-01-02 00:00  rest\n")
    house("freeze delete holidays")
    house("signing-role set qa --tester yes")
    assert "qa" in house("signing-role list").out
    house("signing-role delete qa")
    assert house("pin list").out == "PRODUCT  CHANNEL  VERSION  MAPPING\nweb      release  1.3.     web-1.3.9\n"
    house("pin delete web release 1.3.")
    house("requirement set all 'be*' qa 1")
    assert house("requirement list").out == "PRODUCT  CHANNEL  ROLE  PERSONS\nall      be*      qa    1\n"
    assert "needs the word of 1 of qa" in house("requirement delete all 'be*' qa", exits=4).err
    assert [house(f"{name} list").out for name in ("pin", "freeze", "signing-role")] == [""] * 3


def test_a_release_is_put_whole(house):
    document = {**release("1.3.9"), "details_url": "https://example.org/1.3.9"}
    (house.folder / "web-1.3.9.json").write_text(json.dumps(document))
    house("release-doc put web-1.3.9.json")
    assert house.json("release-doc show web-1.3.9")["row"]["details_url"] == "https://example.org/1.3.9"
    (house.folder / "web-1.3.9.json").write_text(json.dumps(release("1.3.9")))
    assert "details_url https://example.org/1.3.9 -> none" in house("release-doc put web-1.3.9.json").out
    assert columns_line_up(house("release-doc list").out)
    (house.folder / "bad.json").write_text("{}")
    assert "bad.json: must be an object with the release's name" in house("release-doc put bad.json", exits=2).err


# -- changes -----------------------------------------------------------------------------------------------------

def test_a_change_is_submitted_shown_moved_and_withdrawn(house):
    said = house(f"change submit {change_file(house, RATE, when='in 2h')}").out
    assert re.fullmatch(r"submitted change 1 for \S+ \S+ UTC: ready: .*\n", said), said
    listed = house("change list").out
    assert columns_line_up(listed) and "Web 1.4 for all" in listed and "web beta" in listed
    shown = house("change show 1").out
    assert "rate 25 -> 100" in shown and "Nobody needs to sign it." in shown
    before = house.json("change show 1")["when"]
    house("change move 1 +3h")
    assert house.json("change show 1")["when"] > before
    assert "say --reason WHY" in house("change withdraw 1", exits=2).err
    house("change withdraw 1 --reason 'not good after all'")
    assert house.json("change show 1")["state"] == "withdrawn"
    assert house.json("rule show 2")["row"]["rate"] == 25


def test_a_dry_run_submits_nothing(house):
    said = house(f"change submit {change_file(house, RATE, when='+1h')} --check").out
    assert said.startswith("not submitted  Web 1.4 for all\n") and "rate 25 -> 100" in said
    assert house.json("change list")["changes"] == []


def test_a_change_from_standard_input_may_be_given_its_time(house):
    given = json.dumps({"title": "x", "ops": RATE})
    assert "when: is missing" in house("change submit -", exits=2, stdin=given).err
    assert "standard input: when: 'soon' is not a time" in house(
        "change submit -", exits=2, stdin=json.dumps({"when": "soon", "ops": RATE})).err
    house("change submit - --when +1h --reason r --title 'All of them'", stdin=given)
    assert house.json("change show 1")["title"] == "All of them"


@pytest.mark.parametrize("text, wanted", [
    ("{", "change.json:1:"),
    ('{"ops": 7}', "change.json: ops: must be a list"),
    ('{"ops": [{"op": "update", "table": "rule", "row": {}}]}', "change.json: ops 1: table: there is no 'rule'"),
    ('{"ops": [{"op": "update", "table": "rules"}]}', "change.json: ops 1: row: must be an object"),
])
def test_what_is_wrong_with_a_file_is_named_with_its_field(house, text, wanted):
    (house.folder / "change.json").write_text(text)
    assert wanted in house("change submit change.json --when +1h", exits=2).err
    house("change submit nowhere.json --when +1h", exits=3)


def test_an_edit_with_when_is_a_change(house):
    said = house("rule set 2 rate=100 --when +2h --reason 'all is well'").out
    assert said.startswith("submitted change 1 for ")
    detail = house.json("change show 1")
    assert detail["title"] == "change rule 2" and detail["reason"] == "all is well"
    house("rule add product=web channel=release mapping=web-1.4.0 --when +3h --title 'One more' --reason r")
    assert house.json("change show 2")["title"] == "One more"
    assert house.json("rule list")["rows"][-1]["rule_id"] == 2


def test_an_edit_for_later_is_made_from_what_the_queue_will_leave(house):
    house("rule add product=web channel=release mapping=web-1.4.0 rate=25 --when +2h --reason r")
    assert "there is no rule 3 by then" in house("rule set 3 rate=100 --when +1h --reason r", exits=3).err
    house("rule set 3 rate=100 --when +3h --reason r")
    assert "rule 3: rate 25 -> 100" in house("change show 2").out
    assert house.json("change show 2")["standing"]["kind"] == "ready"


def test_a_change_goes_live_at_its_time(house):
    house(f"change submit {change_file(house, RATE, when='now')}")
    assert house("change enact").out == "change 1 is live\n"
    assert house.json("rule show 2")["row"]["rate"] == 100
    assert house("change enact").out == ""
    assert house.json("change list --only live")["changes"][0]["id"] == 1
    assert re.search(r"\n\S+ \S+ +\S.* 1  rate 25 -> 100\n", house("rule show 2").out)


def test_a_run_lets_go_live_what_is_due(house):
    house("rule set 2 rate=100 --when now --reason r")
    house("rule set 1 rate=50 --when +1h --reason r")
    assert "change 1 is live\n" in house("run").out
    assert house.json("run")["went_live"] == {"live": [], "waiting": []}
    assert [house.json(f"rule show {rule}")["row"].get("rate") for rule in (1, 2)] == [None, 100]


def test_an_edit_under_a_change_that_waits_is_told(house):
    house("rule set 2 rate=100 --when +2h --reason r")
    said = house("rule set 2 rate=50")
    assert "change 1 was written on what this alters: it conflicts now" in said.err
    shown = house("change show 1").out
    assert "Conflicts:" in shown and "rate" in shown
    assert house.json("change show 1")["standing"]["kind"] == "conflict"


# -- sign-offs ---------------------------------------------------------------------------------------------------

def goes_live(drover, change):
    """By our look or by that of a droverd beside us."""
    drover("change enact")
    wait_until(lambda: drover.json(f"change show {change}")["state"] == "live", f"change {change} is live")


@pytest.fixture
def signers(house, server):
    """relman twice and a tester are asked for; who they are, by name."""
    # One requirement would ask for itself before the next: they go together.
    asked = [{"op": "insert", "table": "requirements", "row": {"product": "web", "channel": "beta", "role": role, "n": n}}
             for role, n in (("relman", 2), ("qa", 1))]
    asked.append({"op": "insert", "table": "roles", "row": {"role": "qa", "tester": True}})
    house(f"change submit {change_file(house, asked, when='now')}")
    goes_live(house, 1)
    people = {}
    for name, roles in {"ada": ["operator"], "bob": ["viewer", "relman"], "eve": ["viewer", "relman"],
                        "quinn": ["viewer", "qa"]}.items():
        people[name] = through(house, server, role=None, person=name)
        for role in roles:
            house(f"user grant {name} {role} web")
    return people


def test_where_sign_offs_are_required_a_direct_edit_is_refused(signers):
    said = signers["ada"]("rule set 2 rate=100", exits=4).err
    assert "drover change submit" in said and "relman" in said
    signers["ada"]("shutoff add web beta --reason 'it burns'")


def test_a_change_waits_for_those_who_must_agree(house, signers):
    ada, bob, eve, quinn = (signers[name] for name in ("ada", "bob", "eve", "quinn"))
    said = ada("rule set 2 rate=100 --when now --reason 'all is well'")
    assert "unsigned" in said.out
    assert "next: drover change sign 2 --role relman   # 2 missing" in said.err
    assert "next: drover change tested 2 --role qa" in said.err
    assert "change 2 waits: unsigned" in house("change enact").out
    assert "nothing is left here that you can sign" in ada("change sign 2", exits=5).err
    ada("change sign 2 --role relman", exits=5)
    assert bob("change sign 2").out.startswith("signed change 2")
    digest = bob.json("change show 2")["digest"]
    eve(f"change sign 2 --digest {'0' * 64}", exits=4)
    eve(f"change sign 2 --digest {digest}")
    quinn("change sign 2")
    assert house.json("change show 2")["standing"]["kind"] == "untested"
    quinn("change tested 2")
    shown = house("change show 2").out
    assert re.search(r"relman +2 +0 +bob, eve +", shown), shown
    assert re.search(r"quinn as qa at", shown), shown
    bob("change revoke 2 --role relman")
    assert house.json("change show 2")["standing"]["kind"] == "unsigned"
    bob("change sign 2")
    goes_live(house, 2)


def test_an_edit_of_a_change_voids_what_was_signed(house, signers):
    signers["ada"]("rule set 2 rate=100 --when +1h --reason r")
    signers["bob"]("change sign 2")
    name = change_file(house, [{"op": "update", "table": "rules", "rule_id": 2, "row": {"rate": 75}}])
    signers["ada"](f"change edit 2 {name}")
    shown = house("change show 2").out
    assert "rate 25 -> 75" in shown and "bob (does not count:" in shown


def test_the_glass_is_broken_with_a_reason_and_looked_into_by_another(house, signers):
    house("user grant bob operator web")
    signers["ada"]("rule set 2 rate=100 --when +1h --reason r")
    signers["ada"]("change break-glass 2", exits=2)
    signers["ada"]("change break-glass 2 --reason 'customers cannot log in'")
    assert house.json("rule show 2")["row"]["rate"] == 100
    signers["ada"]("change review 2 --reason 'I was right'", exits=5)
    signers["bob"]("change review 2 --reason 'she was right'")


def test_a_freeze_stops_a_change_until_it_is_overridden(house):
    house("freeze add holidays --product web --from 2026-01-01 --until 2099-01-01 --reason rest")
    house("rule set 2 rate=100 --when now --reason r")
    assert "change 1 waits: gate" in house("change enact").out
    assert re.search(r"freeze +stops it", house("change show 1").out)
    house("change override 1 freeze --reason 'cannot wait'")
    assert "overridden" in house("change show 1").out
    assert house("change enact").out == "change 1 is live\n"


# -- channels ----------------------------------------------------------------------------------------------------

ASKED = "version=1.3.0 platform=linux locale=en tag.rack=a draw=50"


def test_channels_answer_now_then_and_before(house):
    house("rule set 2 rate=100 --when +2h --reason r")
    assert house("channel list").lines[0].split() == [
        "PRODUCT", "CHANNEL", "KIND", "BASE,", "CUT", "STATE", "RULES", "WAITING", "TITLE"]
    assert house(f"channel answer web beta {ASKED}").out.startswith("nothing: outside the rule's rate")
    assert house(f"channel answer web beta-test {ASKED}").out.startswith("web-1.4.0: the rule's release\nby rule 2")
    assert house(f"channel answer beta {ASKED} --cut all").out.startswith("web-1.4.0: ")
    assert house(f"channel preview web beta {ASKED} --at +3h").out.startswith("web-1.4.0: ")
    assert house(f"channel preview web beta {ASKED} --at +1h").out.startswith("nothing: ")
    assert "drover channel history" in house("channel preview web beta --at 2026-01-01", exits=2).err
    assert "drover channel preview" in house("channel history web beta --at +1h", exits=2).err
    assert "say as of when" in house("channel history web beta", exits=2).err
    assert "web-1.4.0" not in house("channel history web beta --at 2026-01-01").out
    shown = house("channel show web beta").out
    assert "Rules, in the order in which they are asked:" in shown and "What waits:" in shown
    assert "beta-test" in shown and "answers otherwise than live" in shown


def test_channels_explain_differ_and_are_linted(house):
    house("rule set 2 rate=100 --when +2h --reason r")
    explained = house("channel explain web beta version=1.4.0 platform=linux locale=en tag.rack=a").out
    assert "version is not" in explained
    assert re.search(r"^-? *web-1.4.0 +.*draw=", house("channel diff web beta-test beta").out, flags=re.M)
    assert house.json("channel diff beta-test beta")["same"] is False
    assert house("change diff 1").out.startswith("web beta\n")
    assert house("channel lint web beta").out == "nothing found\n"
    assert "say which channels" in house("channel diff beta", exits=2).err
    assert "no product has a channel 'nowhere'" in house("channel show nowhere", exits=3).err


def test_a_channel_is_declared_and_removed(house):
    house("channel declare release-cdntest --product web --base release --cut all --rewrite cdn.example.org=test.example.org")
    assert "release-cdntest" in house("channel show web release").out
    assert house.json("channel show web release-cdntest")["kind"] == "test"
    house("channel remove release-cdntest --product web")
    assert "say of which product" in house("channel declare x", exits=2).err


def test_the_store_and_a_server_say_the_same(house, server):
    house("requirement set web release relman 1")
    house("rule set 2 rate=100 --when +2h --reason r")
    remote = through(house, server, role="operator")
    for line in ("rule list", "rule show 1", "rule show stable --json", "release-doc list", "release-doc show web-1.4.0",
                 "pin list", "requirement list", "change list", "change diff 1", "channel list",
                 "channel show web beta", "channel show web release --json", f"channel answer web beta {ASKED}",
                 f"channel explain web beta {ASKED}", "channel diff web beta-test beta", "channel lint web beta --json"):
        assert remote(line).out == house(line).out, line
    for line, code in (("rule set 7 rate=1", 3), ("rule set 1 rate=500", 2), ("rule set 1 rate=1", 4),
                       ("change show 9", 3), ("change submit nowhere.json", 3), ("channel show nowhere", 3)):
        assert remote(line, exits=code).err == house(line, exits=code).err, line


def test_who_may_not_sees_less_and_writes_nothing(house, server):
    nobody = through(house, server, role=None, person="eve")
    house("user grant eve viewer firmware", exits=3)
    nobody("rule list", exits=5)
    house("user grant eve viewer web")
    assert nobody("rule list").out == house("rule list").out
    nobody("rule set 2 rate=100", exits=5)
    nobody("rule set 2 rate=100 --when +1h --reason r", exits=5)
    assert house.json("change list")["changes"] == []
