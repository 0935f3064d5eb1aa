# SPDX-License-Identifier: ISC
"""The configuration file, and what is said over it."""


def write(drover, text):
    (drover.folder / "drover.conf").write_text(text)


def test_an_unknown_key_is_warned_about_with_its_line(drover):
    write(drover, "[state]\nfolder = here\n\n[mail]\nusr = ada\n")
    said = drover("status --config drover.conf")
    assert "drover.conf:5" in said.err and "usr" in said.err
    assert "1 unknown key" in drover("config check drover.conf", exits=2, alone=True).err


def test_a_value_of_the_wrong_kind_is_refused_with_its_place(drover):
    for text, place in (("[job]\nlock-warn = soon\n", "drover.conf:2:13"),
                        ("[mail]\nrequire-tls = perhaps\n", "drover.conf:2:15"),
                        ("[admin]\nworkers = 0\n", "drover.conf:2:11")):
        write(drover, text)
        assert place in drover("status --config drover.conf", exits=2).err
        assert place in drover("config check drover.conf", exits=2, alone=True).err


def test_a_configuration_that_was_named_must_be_there(drover):
    drover("status --config nowhere.conf", exits=3)
    drover("status", exits=3, DROVER_CONFIG="nowhere.conf")


def test_options_win_over_the_environment_and_that_over_the_file(drover):
    write(drover, "[state]\nfolder = from-file\n")
    drover(["status", "--config", "drover.conf", *drover.words("")[len(drover.place) + 1:]], alone=True)
    assert (drover.folder / "from-file/drover.db").exists()
    drover(["status", "--config", "drover.conf", *drover.words("")[len(drover.place) + 1:]], alone=True,
           DROVER_STATE="from-environment")
    assert (drover.folder / "from-environment/drover.db").exists()
    drover("status --config drover.conf", DROVER_STATE="from-nowhere")
    assert drover.database.exists()
    assert not (drover.folder / "from-nowhere").exists()


def test_the_printed_configuration_changes_nothing(drover):
    write(drover, drover("config keys", alone=True).out)
    assert drover("config check drover.conf", alone=True).out == "drover.conf is in order\n"


def test_lock_warn_is_read_from_the_file(drover):
    keys = drover("config keys --json", alone=True).json
    assert {"section": "job", "key": "lock-warn", "type": "duration", "default": "15min"}.items() <= next(
        key for key in keys if key["key"] == "lock-warn").items()


def test_a_secret_that_everybody_may_read_is_refused(drover):
    (drover.folder / "password").write_text("hunter2\n")
    (drover.folder / "password").chmod(0o644)
    write(drover, "[mail]\nurl = smtp://127.0.0.1:1\npassword-file = password\n")
    assert "chmod" in drover("status --config drover.conf", exits=2).err
    (drover.folder / "password").chmod(0o600)
    drover("status --config drover.conf")
