# SPDX-License-Identifier: ISC
"""A store with channels, changes, sign-offs and a past is backed up and restored on the other kind of database, and back:
all that can be asked of it is answered as before, at every moment of the past, and the queue goes on where it was."""
import json

import pytest

from beds import NEEDS_POSTGRESQL, databases  # noqa: F401 (a fixture)
from conftest import Drover

pytestmark = pytest.mark.slow

MOMENTS = [f"2026-11-21T{hour:02d}:30:00Z" for hour in range(8, 16)]
CHANNELS = ("release", "beta", "esr")


@pytest.fixture
def lived(drover):
    """Six hours of a day: rows written and deleted, changes live, withdrawn, signed, waiting, in conflict and to come."""

    def at(time, line, **how):
        return drover(f"{line} --now 2026-11-21T{time}:00Z", **how)

    for name in ("ada", "rita"):
        at("07:00", f"user add {name} {name}@example.org")
        at("07:00", f"user grant {name} relman all")
    for number in (1, 2):
        at("08:05", "release-doc put -", stdin=json.dumps({"name": f"web-{number}", "product": "web", "version": f"{number}.0"}))
    for channel in CHANNELS:
        at("08:10", f"rule add product=web channel={channel} mapping=web-1 rate=100")
    at("09:10", "change enact")  # somebody watches the clock
    at("09:15", "rule set 1 mapping=web-2 --when +1h --reason r")
    at("09:20", "rule set 2 rate=50 --when +6h --reason r")
    at("10:20", "change enact")
    at("10:40", "shutoff add web beta --reason 'it eats bookmarks'")
    at("11:10", "shutoff delete web beta")
    at("11:40", "rule set 2 rate=70")
    at("12:10", "requirement set web esr relman 1")
    at("12:20", "rule set 3 mapping=web-2 --when +2h --reason r")
    at("13:10", "rule add product=web channel=nightly mapping=web-2 --when +20h --reason r")
    at("13:40", "rule set 1 comment=gone --when +21h --reason r")
    at("13:50", "change withdraw 5 --reason 'not needed'")
    at("14:30", "change enact")
    return drover


def everything(drover):
    lists = ("change list", "shutoff list", "requirement list", "user list", "channel list")
    told = {line: drover.json(f"{line} --now 2026-11-21T15:00:00Z") for line in lists}
    told["changes"] = [drover.json(f"change show {number} --now 2026-11-21T15:00:00Z") for number in range(1, 6)]
    told["past"] = [drover.json(f"rule list --at {moment}") for moment in MOMENTS]
    told["answers"] = [drover.json(f"channel answer web {channel} version=0.5 --at {moment} --now 2026-11-21T15:00:00Z")
                       for channel in CHANNELS for moment in MOMENTS[::2]]
    told["history"] = drover.json("history verify")
    return told


def restore(drover, backup, store):
    """The same drover on another store, filled from the backup."""
    restored = Drover(drover.folder, drover.environment)
    restored.place = ["--store", store]
    restored(f"store restore {backup}")
    restored("store check")
    return restored


def test_the_past_and_the_queue_are_the_same_after_a_restore(lived, tmp_path):
    before = everything(lived)
    states = [change["state"] for change in before["changes"]]
    assert states == ["live", "scheduled", "scheduled", "scheduled", "withdrawn"]
    assert before["changes"][1]["standing"]["kind"] == "conflict" and before["changes"][2]["standing"]["kind"] == "unsigned"
    assert before["past"][0] != before["past"][2] != before["past"][-1]
    lived("store backup backup.db")
    restored = restore(lived, "backup.db", f"sqlite:{tmp_path}/restored.db")
    assert everything(restored) == before


@NEEDS_POSTGRESQL
@pytest.mark.slow
def test_to_postgresql_and_back_all_is_the_same(lived, tmp_path, databases):
    before = everything(lived)
    lived("store backup backup.db")
    moved = restore(lived, "backup.db", databases().url)
    assert everything(moved) == before
    moved("rule set 3 rate=1 --when +2h --reason r --now 2026-11-21T15:00:00Z")
    moved("change enact --now 2026-11-21T15:10:00Z")
    added = moved.json("rule add product=web channel=x mapping=web-1 --now 2026-11-21T15:20:00Z")
    assert added["rows"][0]["key"] == "5", "the number that a waiting change reserved is not given again"
    then = everything(moved)
    moved("store backup back.db")
    assert everything(restore(lived, "back.db", f"sqlite:{tmp_path}/back-again.db")) == then
