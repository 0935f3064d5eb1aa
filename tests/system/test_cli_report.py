# SPDX-License-Identifier: ISC
"""drover report: a folder that is there as a whole or not at all."""
import os
import re
import threading

NOW = "--now 2026-11-21T08:00:00Z"


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_twice_without_a_change_is_the_same_to_the_byte(web):
    web(f"report --out report {NOW}")
    first = contents(web.folder / "report")
    assert "index.html" in first
    web(f"report --out report/ {NOW}")
    assert contents(web.folder / "report") == first
    assert os.listdir(web.folder).count("report") == 1
    assert not [name for name in os.listdir(web.folder) if "part-" in name]


def test_pages_have_no_scripts_and_relative_links_only(web):
    web(f"report --out report {NOW}")
    for name, text in contents(web.folder / "report").items():
        if name.endswith(".html"):
            assert b"<script" not in text, name
            for link in re.findall(rb'(?:href|src)="([^"]*)"', text):
                assert not link.startswith(b"/") and b"://" not in link, (name, link)


def test_a_folder_that_is_no_report_is_left_alone(web):
    (web.folder / "home").joinpath("letter.txt").write_text("dear ada")
    assert "left alone" in web("report --out home", exits=4).err
    assert (web.folder / "home/letter.txt").read_text() == "dear ada"
    (web.folder / "file").write_text("")
    web("report --out file", exits=4)
    (web.folder / "empty").mkdir()
    web("report --out empty")
    assert (web.folder / "empty/index.html").exists()


def test_what_a_killed_run_left_beside_goes(web):
    beside = web.folder / "report.drover-part-abcdef"
    beside.mkdir()
    (beside / ".drover-report").write_text("")
    web("report --out report")
    assert not beside.exists()


def test_a_link_to_the_folder_stays_a_link(web):
    web("report --out real")
    (web.folder / "link").symlink_to("real")
    web("report --out link")
    assert (web.folder / "link").is_symlink() and (web.folder / "real/index.html").exists()


def test_a_reader_never_sees_half_a_page(web):
    web("report --out report")
    size = (web.folder / "report/index.html").stat().st_size
    missing, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            try:
                if not (web.folder / "report/index.html").read_text().rstrip().endswith("</html>"):
                    missing.append("half")
            except FileNotFoundError:
                missing.append("gone")

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        web("report --out report")
    stop.set()
    reader.join()
    assert size > 0 and missing == []


def test_run_writes_the_report_that_the_configuration_names(web):
    (web.folder / "drover.conf").write_text(f"[report]\nfolder = {web.folder}/www\n")
    web("run --config drover.conf")
    assert (web.folder / "www/index.html").exists()
    web("report --config drover.conf")
    assert "--out" in web("report", exits=2).err
