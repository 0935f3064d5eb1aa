# SPDX-License-Identifier: ISC
"""From a commit to what a node runs, all by the commands as people type them, through droverd's two addresses."""
import subprocess

import pytest

from conftest import BUILD, Droverd
from publisher import Publisher
from server import eventually
from test_node_run import Program, free_port

pytestmark = pytest.mark.slow

CHANNEL = "product=web channel=release priority=90"


def test_from_a_commit_to_what_a_node_runs(drover, repository, tmp_path):
    web, port, public = Publisher(drover, repository), free_port(), free_port()
    conf = tmp_path / "node.conf"
    prefix = tmp_path / "prefix"
    conf.write_text(f"[node]\nserver = http://127.0.0.1:{port}\nstate = {tmp_path}/node-state\n"
                    f"[web]\nprefix = {prefix}\nsources = http://127.0.0.1:{public}/releases\nkeys = {web.keys}\n")
    web.release("1.0.0", "one\n")
    web.release("1.0.1", "two\n")
    drover(f"rule add {CHANNEL} mapping=web-1.0.0 --reason first")
    code = drover("node add web1 --product web --channel release").out
    server = Droverd(drover.place, drover.environment, "--admin", f"127.0.0.1:{port}", "--public", f"127.0.0.1:{public}",
                     folder=drover.folder)
    node = None
    try:
        server.wait_until_ready()
        enrolled = subprocess.run([BUILD / "drover-node", "enrol", "--config", conf], input=code.split()[-1] + "\n",
                                  text=True, capture_output=True, check=False, env=drover.environment)
        assert enrolled.returncode == 0, enrolled.stderr + code
        node = Program(conf, drover.environment)
        current = prefix / "current"
        assert eventually(lambda: (current / "a.txt").exists()), node.log
        assert (current / "a.txt").read_text() == "one\n"
        drover("rule set 1 mapping=web-1.0.1 --reason better")
        assert eventually(lambda: (current / "a.txt").read_text() == "two\n"), node.log
        assert eventually(lambda: "1.0.1" in drover("node list").out)
    finally:
        if node is not None:
            assert node.stop() == 0
        assert server.stop() == 0
