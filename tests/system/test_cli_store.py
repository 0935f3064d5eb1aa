# SPDX-License-Identifier: ISC
"""drover store and history: where the store is, who may touch it, and that it is whole."""
import os
import sqlite3

import pytest

from beds import NEEDS_POSTGRESQL, databases  # noqa: F401 (a fixture)


def tamper(drover, statement):
    """As somebody would who may write the database's file."""
    with sqlite3.connect(drover.database) as database:
        database.execute("DROP TRIGGER history_no_update")
        database.execute("DROP TRIGGER history_no_delete")
        database.execute(statement)


def test_a_new_store_is_made_and_said_so(drover):
    said = drover("product list")
    assert f"made a new store, sqlite:{drover.database}" in said.err
    assert "made" not in drover("product list").err
    assert drover.database.stat().st_mode & 0o077 == 0


def test_a_backup_is_a_store(web):
    said = web("store backup backup.db")
    head = web.json("history verify")["head"]
    assert head in said.out
    copy = web("landing deployable --store sqlite:backup.db --json").json
    assert copy == web.json("landing deployable")


def test_a_backup_fills_an_empty_store_and_no_other(web):
    web("store backup backup.db")
    web("store restore backup.db --store sqlite:new/drover.db")
    assert web("history verify --store sqlite:new/drover.db").out == web("history verify").out
    web("store restore backup.db", exits=4)
    web("store restore nowhere.db --store sqlite:third.db", exits=3)


def test_check_finds_an_altered_history(web):
    assert "The store is sound" in web("store check").out
    head = web.json("history verify")["head"]
    tamper(web, "UPDATE history SET reason = 'no reason' WHERE sequence = 2")
    assert "not sound" in web("store check", exits=1).err
    said = web(f"history verify --head {head}", exits=1)
    assert "the history is not whole" in said.err
    assert web.json("history verify", exits=1)["broken_at"] == 2


def test_a_published_head_shows_that_the_end_was_cut_off(web):
    head = web.json("history verify")["head"]
    tamper(web, "DELETE FROM history WHERE sequence = (SELECT max(sequence) FROM history)")
    web("history verify")
    web(f"history verify --head {head}", exits=1)


def test_migrate_twice_is_no_change(web):
    web("store migrate")
    assert "has the schema" in web("store migrate").out
    web("maintenance on --reason upgrade")
    web("store migrate")


@NEEDS_POSTGRESQL
def test_a_restore_makes_the_tables_of_a_new_database(web, databases):
    web("store backup b.db")
    place = f"--store {databases().url}"
    web(f"store restore b.db {place}")
    assert web.json(f"landing deployable {place}") == web.json("landing deployable")
    assert "already has products" in web(f"store restore b.db {place}", exits=4).err


def test_what_needs_the_store_itself_says_so(web):
    for line in ("store backup b.db", "store restore b.db", "store migrate", "upgrade --command true"):
        said = web(f"{line} --server http://127.0.0.1:1", exits=2, alone=True)
        assert "needs the store itself" in said.err, line


def test_a_store_of_an_unknown_kind_is_input(drover):
    drover("status --store mysql:here", exits=2)


def test_a_store_and_a_server_contradict_each_other(drover):
    said = drover("status --store sqlite:x.db --server http://127.0.0.1:1", exits=2)
    assert "--store and --server" in said.err
    drover("status", exits=2, DROVER_STORE="sqlite:x.db", DROVER_SERVER="http://127.0.0.1:1")
    # What is typed wins over the environment.
    drover("status --store sqlite:x.db", DROVER_SERVER="http://127.0.0.1:1")
    assert (drover.folder / "x.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
def test_root_is_refused_before_anything_is_touched(drover):
    for line in ("status", "landing scan", "store migrate", "store backup b.db", "upgrade --command true"):
        said = drover([*line.split(), "--state", str(drover.state)], exits=10, alone=True)
        assert "--allow-root" in said.err, line
    assert not drover.state.exists()


def test_pure_commands_need_neither_store_nor_configuration(drover):
    for line in ("help", "help landing", "help qa ok", "version", "--version", "completion bash", "config keys",
                 "landing deployable --help"):
        drover(line, alone=True, DROVER_STATE="/nowhere", DROVER_CONFIG="/nowhere.conf", DROVER_STORE="mysql:x")


def test_history_says_who_and_why(web):
    newest = web.json("history list --limit 1")["entries"][0]
    assert newest["action"] == "verdict.add" and newest["reason"] == "login fails"
    assert newest["actor"].endswith("(store)")
    assert "login fails" in web("history list").out
    assert "login fails" in web(f"history show {newest['sequence']}").out
    assert web.json("history list --subject landing/web/4")["entries"] == [newest]
