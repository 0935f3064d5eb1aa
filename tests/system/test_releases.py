# SPDX-License-Identifier: ISC
"""Releases over the API, on both databases: whose signatures count, what is published, what must stay."""
import socket

import pytest

import beds
import openapi
import releases
from beds import daemons, databases, engine, place  # noqa: F401 (fixtures)
from conftest import Repository

pytestmark = pytest.mark.slow


class House:
    """A droverd with product web of three landings, two of which may be deployed, and two keys: ours and a stranger's."""

    def __init__(self, drover, daemons):
        self.drover = drover
        self.repository = Repository(drover.folder / "repository", drover.environment)
        self.revisions = [self.repository.commit(f"Change {n}", "QA: no-qa") for n in (1, 2)] + [self.repository.commit("Open", "Bug: 3")]
        drover(f"product add web --repository {self.repository.path}")
        drover("landing scan")
        self.ours, self.stranger = releases.Signer(drover, "ours"), releases.Signer(drover, "stranger")
        keys = drover.folder / "keys"
        keys.mkdir()
        (keys / "ours.pub").write_text(self.ours.public.read_text())
        beds.configure(drover, f"[clock]\nscan-every = 0\nremind-every = 0\n[release]\nkeys = {keys}\n")
        self.daemon = daemons(drover)
        self.daemon.token = beds.admin_token(drover)

    def post(self, body, status=200, path="/products/web/releases"):
        answer = self.daemon("POST", path, body)
        assert answer.status == status, answer.text
        return answer.json if status == 200 else answer.json["error"]["message"]

    def get(self, path):
        answer = self.daemon("GET", "/products/web/releases" + path)
        assert answer.status == 200, answer.text
        return answer.json

    def full(self, version, sequence, ordinal=2, reason=None, signer=None, **more):
        return (signer or self.ours).release(version, sequence, reason, revision=self.revisions[ordinal - 1], landing=ordinal, **more)


@pytest.fixture
def house(place, daemons):  # noqa: F811
    return House(place, daemons)


def test_the_plan_is_the_deployable_landing(house):
    plan = house.get("/plan")
    assert (plan["landing"], plan["revision"], plan["deployable"], plan["why"]) == (2, house.revisions[1], True, None)
    assert plan["repository"] == str(house.repository.path) and plan["version"] is None and plan["refusals"] == []
    other = house.get("/plan?revision=3")
    assert other["deployable"] is False and "landing 2" in other["why"] and other["revision"] == house.revisions[2]
    assert house.get("/plan?revision=" + "cd" * 20)["landing"] is None
    house.post(house.full("1.4.9", 7))
    plan = house.get("/plan?version=1.4.9")
    assert (plan["version"], plan["next_sequence"], plan["newest"]) == ("1.4.10", 8, {"version": "1.4.9", "sequence": 7})
    assert plan["refusals"] == ["web 1.4.9 was published already"]


def test_a_release_of_the_deployable_landing_is_published_with_its_row_for_channels(house):
    made = house.post(house.full("1.0.0", 1))
    openapi.check(made, "ReleaseView")
    assert made["signature_state"]["good"] is True and made["reason"] is None
    assert [each["landing"] for each in made["items"]] == [2, 1] and made["more"] == 0
    made = house.post(house.full("1.0.1", 2, deltas=[releases.delta("1.0.0"), releases.delta("0.9")]))
    assert made["items"] == [] and made["previous"] == "1.0.0"
    rows = {row["name"]: row for row in house.daemon("GET", "/tables/releases").json["rows"]}
    files = rows["web-1.0.1"]["platforms"]["any"]["locales"]["any"]
    assert files["completes"] == [{"from": "*", "file": "web/1.0.1/payload.tar.zst", "size": 300, "sha256": releases.EMPTY}]
    assert files["partials"] == [{"from": "web-1.0.0", "file": "web/1.0.1/from-1.0.0.delta", "size": 50, "sha256": releases.EMPTY}]
    assert rows["web-1.0.1"]["landing"] == 2
    entries = house.drover.json("history list --subject release/web")["entries"]
    assert [each["action"] for each in entries] == ["release.publish"] * 2


def test_the_row_comes_also_where_channels_need_the_word_of_others(house):
    house.drover("signing-role set relman --author-may-sign yes")
    house.drover("requirement set web release relman 1")
    house.drover("freeze add rest --product web --from 2020-01-01 --until 2099-01-01")
    house.post(house.full("1.0.0", 1))
    assert house.get("/1.0.0")["live"] == []


def test_another_revision_wants_a_reason_which_is_kept(house):
    assert "reason" in house.post(house.full("1.0.0", 1, ordinal=1), 409)
    assert "reason" in house.post(house.ours.release("1.0.0", 1), 409)
    assert house.post(house.full("1.0.0", 1, ordinal=1, reason="only this one"))["reason"] == "only this one"
    lie = house.ours.release("1.0.1", 2, "x", revision=house.revisions[0], landing=2)
    assert "another revision" in house.post(lie, 409)
    assert "not known" in house.post(house.ours.release("1.0.1", 2, "x", landing=9), 409)


def test_the_same_bytes_again_change_nothing_and_others_are_refused(house):
    body = house.full("1.0.0", 1)
    house.post(body)
    before = house.drover.json("history verify")
    house.post(body)
    assert house.drover.json("history verify") == before
    assert "never changes" in house.post(house.full("1.0.0", 2), 409)
    assert "above all" in house.post(house.full("1.0.1", 1), 409)
    again = {**body, "signature": house.ours.sign(body["manifest"], "drover release product=web version=1.0.0 ")}
    assert "signature is about" in house.post(again, 403)


def test_versions_only_rise_by_semantic_versioning(house):
    house.drover("channel settings web --scheme semver")
    rising = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.2.0", "1.10.0-rc.1"]
    for sequence, version in enumerate(rising, 1):
        assert house.get(f"/plan?version={version}")["refusals"] == []
        house.post(house.full(version, sequence))
    for version in ("1.9.9", "1.10.0-rc.0", "1.10.0-beta.5", "1.10.0-rc.1+again", "1.0.1"):
        told = f"web {version} would not be higher than 1.10.0-rc.1, which is published: versions only rise"
        assert told in house.post(house.full(version, 9), 409)
        refusal, = house.get(f"/plan?version={version.replace('+', '%2B')}")["refusals"]
        assert told in refusal
    assert "'1.11'" in house.post(house.full("1.11", 9), 400)
    assert house.get("")["releases"][0]["version"] == "1.10.0-rc.1"
    house.post({}, path="/products/web/releases/1.2.0/remove")
    house.post(house.full("1.10.0", 9))


def test_a_removed_version_still_counts(house):
    for sequence, version in enumerate(["1.0.0", "2.0.0", "3.0.0"], 1):
        house.post(house.full(version, sequence))
    house.post({}, path="/products/web/releases/2.0.0/remove")
    assert "higher than 3.0.0" in house.post(house.full("2.5.0", 4), 409)


def test_a_publication_has_96_mib_at_most(house):
    """More than other calls may have; what says that it is larger is not waited for."""
    assert house.daemon("POST", "/products/web/releases", {"manifest": "x" * 2_000_000, "signature": "x"}).status == 400
    for length in (96 * 2**20 + 1, 2**40):
        with socket.create_connection(("127.0.0.1", house.daemon.port), timeout=20) as line:
            line.sendall(f"POST /api/v1/products/web/releases HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         f"Authorization: Bearer {house.daemon.token}\r\nContent-Length: {length}\r\n\r\n".encode())
            said = line.recv(4096)
            assert said.startswith(b"HTTP/1.1 413 ") and b"the body is too large" in said, said


def test_only_signatures_that_count_are_taken(house):
    for signer, status, word in [(house.stranger, 403, "not trusted")]:
        assert word in house.post(house.full("1.0.0", 1, signer=signer), status)
    body = house.full("1.0.0", 1)
    assert "not what the key" in house.post({**body, "manifest": body["manifest"].replace('"mtime":1', '"mtime":2')}, 403)
    about = {**body, "signature": house.ours.sign(body["manifest"], "drover release product=web version=1.0.1")}
    assert "1.0.1" in house.post(about, 403)
    spelled = body["manifest"].replace('"format":1,', '"format": 1,')
    comment = "drover release product=web version=1.0.0"
    assert "manifest" in house.post({"manifest": spelled, "signature": house.ours.sign(spelled, comment)}, 400)
    other = releases.manifest("1.0.0", 1, product="api")
    assert "api" in house.post({"manifest": other, "signature": house.ours.sign(other, comment)}, 400)
    assert house.get("")["releases"] == []


def test_a_signature_may_be_replaced_and_is_looked_at_again_each_time(house):
    body = house.full("1.0.0", 1)
    first = house.post(body)
    (house.drover.folder / "keys/second.pub").write_text(house.stranger.public.read_text())
    signed = {**body, "signature": house.stranger.sign(body["manifest"], "drover release product=web version=1.0.0")}
    second = house.post(signed)
    assert second["signer"] != first["signer"] and second["signature_state"]["good"] is True
    assert second["manifest_sha256"] == first["manifest_sha256"]
    (house.drover.folder / "keys/second.pub").unlink()
    state = house.get("/1.0.0")["signature_state"]
    assert state["good"] is False and "not trusted" in state["text"]


def test_what_rules_pins_and_changes_name_is_shown_and_kept(house):
    for number in range(4):
        house.post(house.full(f"1.0.{number}", number + 1))
    house.drover("rule add product=web channel=release mapping=web-1.0.0 fallback_mapping=web-1.0.1 rate=50")
    house.drover("rule set 1 mapping=web-1.0.2 --when +1h --reason next")
    needed = {each["version"]: each["because"] for each in house.get("/needed")["versions"]}
    assert needed == {"1.0.3": ["it is the newest"], "1.0.2": ["change 1 waits to map to it"],
                      "1.0.1": ["rule 1 of channel release maps to it"], "1.0.0": ["rule 1 of channel release maps to it"]}
    shown = house.get("/1.0.0")
    assert shown["live"] == [{"channel": "release", "rules": [1]}] and house.get("/1.0.2")["waiting"] == [1]
    assert "rule 1" in house.post({}, 409, "/products/web/releases/1.0.0/remove")
    house.drover("change withdraw 1 --reason no")
    house.post({}, path="/products/web/releases/1.0.2/remove")
    assert [each["version"] for each in house.get("")["releases"]] == ["1.0.3", "1.0.1", "1.0.0"]
    assert len(house.get("?removed=true")["releases"]) == 4
    assert "web-1.0.2" not in {row["name"] for row in house.daemon("GET", "/tables/releases").json["rows"]}
    assert "removed" in house.post(house.full("1.0.2", 3), 409)


def test_a_difference_shows_5000_paths_and_counts_the_rest(house):
    house.post(house.full("1.0.0", 1))
    many = [releases.file(f"share/{number:05}", str(number)) for number in range(5010)]
    house.post(house.full("1.0.1", 2, files=many))
    diff = house.get("/1.0.1/diff")
    assert len(diff["added"]) + len(diff["removed"]) + len(diff["changed"]) == 5000 and diff["truncated"] == 11
    assert [each["path"] for each in diff["removed"]] == ["bin/web"]
    assert house.daemon("GET", "/products/web/releases/1.0.1/files?limit=10001").status == 400
    paths, after = [], ""
    while after is not None:
        page = house.get(f"/1.0.1/files?limit=2000&after={after}")
        paths += [each["path"] for each in page["files"]]
        after = page["next"]
    assert paths == [each["path"] for each in many]


def test_500_landings_of_a_release_are_shown_and_the_rest_counted(house):
    house.drover("product add bulk")
    landings = [{"rev": number, "revision": f"{number:040x}", "subject": f"S{number}", "author": "Ada", "qa": "no-qa"}
                for number in range(1, 504)]
    assert house.daemon("POST", "/products/bulk/landings", {"landings": landings}).status == 200
    body = house.ours.release("1.0.0", 1, product="bulk", revision=f"{503:040x}", landing=503)
    made = house.post(body, path="/products/bulk/releases")
    assert [each["landing"] for each in made["items"]] == list(range(503, 3, -1)) and made["more"] == 3


def test_releases_survive_backup_and_restore(house, daemons, tmp_path):  # noqa: F811
    house.post(house.full("1.0.0", 1))
    before = house.get("/1.0.0")
    house.drover(f"store backup {tmp_path}/copy.db")
    house.daemon.stop()
    (tmp_path / "other").mkdir()
    other = beds.Drover(tmp_path / "other", house.drover.environment)
    other(f"store restore {tmp_path}/copy.db")
    token = house.daemon.token
    house.daemon = daemons(other)
    house.daemon.token = token
    assert house.get("/1.0.0") == before
