# SPDX-License-Identifier: ISC
"""drover-lvs: the commands that change nothing, as an operator types them."""
import json
import os
import subprocess

import pytest

BUILD = os.environ.get("DROVER_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))


def lvs(*arguments):
    return subprocess.run([os.path.join(BUILD, "drover-lvs"), *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def written(tmp_path):
    def write(text, name="file"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)
    return write


def test_simulate_prints_a_state_an_event(written):
    story = {"given": {"monitors": ["A"], "servers": {"b": {}, "a": {"weight": 3}}, "treshold": 1},
             "events": [{"op": "result", "server": "a", "monitor": "A", "up": False}]}
    answer = lvs("simulate", written(json.dumps(story)))
    assert answer.returncode == 0
    assert json.loads(answer.stdout)[1] == {
        "pooled": ["b"], "held": [], "up": ["b"], "draining": [], "can_depool": True, "weights": {"a": 3, "b": 10}}
    assert 'given: unknown key "treshold"' in answer.stderr


def test_check_list_reads_what_can_be_read(written):
    path = written("{ 'host': 'a', 'weight': 1, 'enabled': True }\nnonsense\n")
    answer = lvs("check-list", "--format", "legacy", path)
    assert answer.returncode == 0
    found = json.loads(answer.stdout)
    assert found["servers"] == {"a": {"enabled": True, "weight": 1}}
    assert found["errors"][0].startswith(f"{path}:2: ")
    strict = lvs("check-list", "--strict", path)
    assert strict.returncode == 2
    assert json.loads(strict.stdout) == found


def test_check_list_knows_json_by_its_name(written):
    answer = lvs("check-list", written('{"a": {}}', "list.json"))
    assert json.loads(answer.stdout) == {"servers": {"a": {}}, "errors": []}


def test_check_config_says_everything_at_once(written):
    path = written("[web]\nprotocol = sctp\nip = 192.0.2.1\nport = 80\nscheduler = wrr\nconfig = k8s://x\n")
    answer = lvs("check-config", path)
    assert answer.returncode == 2
    assert f"error: {path}:2:12: [web] protocol: must be one of tcp, udp, not sctp" in answer.stderr
    assert "error: " + path + ":6:10: [web] config: k8s:// lists are not read here" in answer.stderr


WEB = "[web]\nprotocol = tcp\nip = 192.0.2.1\nport = 80\nscheduler = wrr\n"


@pytest.mark.parametrize("monitor, line, why", [
    ("ProxyFetch", "proxyfetch.body_regex = a(b", "is no regular expression: missing closing parenthesis at its byte 4"),
    ("DNSQuery", "DNSQuery.hostnames = [ 'not..fine' ]", "'not..fine' does not fit into DNS"),
    ("gRPC", f"grpc.service = {'x' * 5000}", "must be at most"),
])
def test_check_config_says_what_monitors_refuse(written, monitor, line, why):
    path = written(f"{WEB}config = file:///x\nmonitors = {monitor}\nproxyfetch.url = http://a/\n{line}\n")
    answer = lvs("check-config", path)
    key = line.partition(" =")[0].lower()
    assert answer.returncode == 2
    assert f"error: {path}:9:{len(key) + 4}: [web] {key}: {why}" in answer.stderr


def test_check_config_warns_of_a_token_that_is_missing(written, tmp_path):
    text = f"[global]\ndroverd-token-file = {tmp_path}/token\n{WEB}config = drover://control/pools/web\nmonitors = TCP\n"
    path = written(text)
    answer = lvs("check-config", path)
    assert answer.returncode == 0 and "1 services, 1 warnings" in answer.stdout
    assert f"warning: {path}:8:10: [web] config: token file {tmp_path}/token: No such file" in answer.stderr
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "token").chmod(0o644)
    assert "others than its owner have rights to it" in lvs("check-config", path).stderr
    (tmp_path / "token").chmod(0o600)
    assert lvs("check-config", path).stderr == ""


@pytest.mark.parametrize("arguments, status", [
    ([], 2), (["nonsense"], 2), (["simulate"], 2), (["simulate", "/no/such/file"], 3), (["simulate", "a", "b"], 2),
    (["check-list", "--format"], 2), (["check-list", "--format", "yaml", "/dev/null"], 2), (["simulate", "--strict", "a"], 2),
    (["--help"], 0), (["--version"], 0), (["simulate", "--help"], 0),
])
def test_slips_are_told(arguments, status):
    answer = lvs(*arguments)
    assert answer.returncode == status
    assert (answer.stderr == "") == (status == 0)


def test_it_links_no_database():
    libraries = subprocess.run(["ldd", os.path.join(BUILD, "drover-lvs")], capture_output=True, text=True, check=True)
    assert "sqlite" not in libraries.stdout and "libpq" not in libraries.stdout
