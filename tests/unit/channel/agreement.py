# SPDX-License-Identifier: ISC
"""Random rules, queues and queries, answered by Drover and by a plain reading of docs/channel.md (reading.py).

For each file and each cut of its queue Drover's test channel is compared with what is live after the changes up to there have
been enacted, by the reading; at one cut of each file, besides, with Drover's own answers when those rows are live.
Usage: agreement.py ANSWER_LINES [FILES [SEED]].
"""
import json
import random
import subprocess
import sys

from reading import KEYS, Overlay, key_of

PRODUCTS = ["P", "Q", "R"]
SCHEMES = [{}, {"Q": "semver", "R": "loose"}, {"P": "semver"}]
CHANNELS = ["release", "beta", "release-cck-acme", "beta-cck-x-cck-y", "nightly", "rel"]
VERSIONS = {"mozilla": ["59.0", "60.0", "60.0a1", "60.0b2", "60.0.1", "61.0", "6.0", "1.5.0.12", "60.0-x", "60.0.0"],
            "semver": ["59.0.0", "60.0.0", "60.0.0-a.1", "60.0.0-a.2", "60.0.1", "6.0.0", "60.0.0+x"],
            "loose": ["59", "60.0", "60.0a1", "60.0rc2", "60.0.1", "6.0", "60"]}
ANY_SCHEME = sorted({version for versions in VERSIONS.values() for version in versions})
LOCALES = ["de", "fr", "en-US"]
PLATFORMS = ["T", "U", "V"]
OS = ["Linux 5.4", "Linux 6.1", "Windows 10 x86", ""]
SETS = ["SSE2", "SSE3", "AVX,FMA"]


def versions_of(rng, schemes, product):
    """Of the product's scheme, but for a few that are refused."""
    return ANY_SCHEME if rng.random() < .05 else VERSIONS[schemes.get(product, "mozilla")]


def random_build(rng):
    return str(rng.randrange(95, 105)) if rng.random() < .9 else rng.choice(["9x", "a", "1000"])


def random_rule(rng, schemes):
    rule = {"priority": rng.randrange(6), "mapping": rng.choice("ABCDE")}
    if rng.random() < .7:
        rule["product"] = rng.choice(PRODUCTS)
    known = versions_of(rng, schemes, rule.get("product"))
    maybe = {
        "channel": lambda: rng.choice(["release", "beta", "release*", "rel*", "beta-cck-x*", "nightly", "release-cck-acme"]),
        "platform": lambda: rng.choice(PLATFORMS),
        "arch": lambda: rng.choice(["Intel", "ARM"]),
        "dist_version": lambda: rng.choice(["1", "2"]),
        "version": lambda: ",".join(rng.choice(["", "<", "<=", ">", ">="]) + rng.choice(known) for _ in range(rng.randint(1, 2)))
        if rng.random() < .7 else rng.choice(["60.*", "60.0.*", "6.*", "1.5.*"]),
        "build_id": lambda: rng.choice(["", "<", "<=", ">", ">="]) + random_build(rng),
        "os_version": lambda: rng.choice(["Linux", "Linux, Windows", "Linux && 6", "x86&&Windows"]),
        "instruction_set": lambda: rng.choice(["SSE2", "SSE2,SSE3", "AVX && FMA", "SSE"]),
        "locale": lambda: rng.choice(["de", "de, fr", "en-US"]),
        "distribution": lambda: rng.choice(["acme", "acme, other"]),
        "memory": lambda: rng.choice(["", "<", "<=", ">", ">="]) + str(rng.randrange(1, 4)),
        "flags": lambda: {rng.choice(["jaws", "mig64"]): rng.random() < .5},
        "tags": lambda: {"rack": rng.sample("abc", rng.randint(1, 2))},
        "rate": lambda: rng.choice([0, 25, 50, 51, 99, 100]),
        "fallback_mapping": lambda: rng.choice("EFGH"),
        "alias": lambda: rng.choice(["one", "two", "three"]),
    }
    for column, value in maybe.items():
        if rng.random() < {"channel": .6, "rate": .25}.get(column, .13):
            rule[column] = value()
    if rng.random() < .1:
        del rule["mapping"]
    return rule


def random_files(rng):
    return {kind: [{"from": rng.choice("ABF*")}] for kind in ("completes", "partials") if rng.random() < .15}


def random_platforms(rng):
    platforms = {}
    for name in rng.sample(PLATFORMS, 2):
        platforms[name] = {"locales": {locale: random_files(rng) for locale in rng.sample(LOCALES, 2)}}
        if rng.random() < .3:
            platforms[name]["build_id"] = random_build(rng)
        if rng.random() < .1:
            del platforms[name]["locales"]
            platforms[name]["build_id"] = random_build(rng)
    if len(platforms) < len(PLATFORMS) and rng.random() < .3:
        platforms[(set(PLATFORMS) - set(platforms)).pop()] = {"alias": sorted(platforms)[0]}
    return platforms


def random_release(rng, schemes):
    release = {"product": rng.choice(PRODUCTS)} if rng.random() < .3 else {}
    if rng.random() < .7:
        release["version"] = rng.choice(versions_of(rng, schemes, release.get("product")))
    if rng.random() < .5:
        release["build_id"] = random_build(rng)
    if rng.random() < .4:
        release["platforms"] = random_platforms(rng)
    return release


def random_shutoff(rng):
    return {"product": rng.choice(PRODUCTS), "channel": rng.choice(["release", "beta", "release-cck-acme"])}


def random_pin(rng):
    return {"product": rng.choice(PRODUCTS), "channel": rng.choice(["release", "beta", "release-cck-acme"]),
            "version": rng.choice(["60.", "59."]), "mapping": rng.choice("ABFX")}


def random_query(rng, schemes):
    product = rng.choice(PRODUCTS + ["S"])
    query = {"product": product, "channel": rng.choice(CHANNELS), "version": rng.choice(versions_of(rng, schemes, product)),
             "build_id": random_build(rng), "platform": rng.choice(PLATFORMS), "locale": rng.choice(LOCALES),
             "os_version": rng.choice(OS), "instruction_set": rng.choice(SETS), "arch": rng.choice(["Intel", "ARM"]),
             "dist_version": rng.choice(["1", "2"]), "distribution": rng.choice(["acme", "other", "third"]),
             "memory": rng.randrange(1, 4), "flags": {"jaws": rng.random() < .5}, "tags": {"rack": rng.choice("abc")},
             "draw": rng.randrange(100), "force": rng.choice([1, -1]), "id": str(rng.randrange(1000)),
             "pin": rng.choice(["60.", "59.", "58."])}
    for key in list(query):
        if rng.random() < {"force": .9, "id": .6, "pin": .6}.get(key, .08):
            del query[key]
    if query.get("product") != product and "version" in query:
        query["version"] = rng.choice(VERSIONS["mozilla"])
    return query


def random_patch(rng, row):
    return {column: None if rng.random() < .2 and column != "priority" else value
            for column, value in row.items() if rng.random() < .5}


def random_op(rng, schemes, ids):
    """Most fit, some do not: a rule that is not there, a name twice."""
    table = rng.choice(["rules"] * 6 + ["releases", "releases", "shutoffs", "pins"])
    verb = rng.choice(["insert", "update", "update", "delete"])
    if table == "shutoffs":
        return {"op": rng.choice(["insert", "delete"]), "table": table, "row": random_shutoff(rng)}
    if table == "pins":
        return {"op": verb, "table": table, "row": random_pin(rng)}
    if table == "releases":
        op = {"op": verb, "table": table, "name": rng.choice("ABFC")}
        row = random_release(rng, schemes)
    else:
        op = {"op": verb, "table": table, "rule_id": max(ids) + 1 if verb == "insert" else rng.choice(sorted(ids))}
        ids.add(op["rule_id"])
        row = random_rule(rng, schemes)
    if verb == "insert":
        return {**op, "row": {**row, **({"name": op["name"]} if table == "releases" else {})}}
    return op if verb == "delete" else {**op, "row": random_patch(rng, row)}


def each_once(table, rows):
    return list({key_of(table, row): row for row in rows}.values())


def random_rules(rng, schemes, ids):
    rules, aliases = [], set()
    for number in ids:
        rule = {"rule_id": number, **random_rule(rng, schemes)}
        if "alias" in rule and rule["alias"] in aliases:
            del rule["alias"]
        aliases.add(rule.get("alias"))
        rules.append(rule)
    rng.shuffle(rules)
    return rules


def random_file(rng):
    schemes = rng.choice(SCHEMES)
    ids = set(range(1, rng.randint(2, 15)))
    rules = random_rules(rng, schemes, ids)
    return {
        "schemes": schemes, "rules": rules,
        "releases": [{"name": name, **random_release(rng, schemes)} for name in "ABF" if rng.random() < .6],
        "shutoffs": each_once("shutoffs", [random_shutoff(rng) for _ in range(rng.randrange(3))]),
        "pins": each_once("pins", [random_pin(rng) for _ in range(rng.randrange(4))]),
        "pending": [{"id": number, "when": rng.randrange(1, 6), "ops": [random_op(rng, schemes, ids) for _ in range(rng.randint(1, 3))]}
                    for number in range(1, rng.randint(1, 5))],
        "queries": [random_query(rng, schemes) for _ in range(12)], "cuts": list(range(6))}


def expected_overlays(file):
    """The overlay at each cut. It goes on from cut to cut."""
    overlay = Overlay(file["schemes"], {table: {key_of(table, row): row for row in file[table]} for table in KEYS})
    queue = sorted(file["pending"], key=lambda change: (change["when"], change["id"]))
    for cut in file["cuts"]:
        while queue and queue[0]["when"] <= cut:
            overlay.go_on(queue.pop(0))
        yield cut, overlay


def asked(program, files):
    said = subprocess.run([program], input="".join(json.dumps(file) + "\n" for file in files), capture_output=True,
                          text=True, check=True).stdout.splitlines()
    return [json.loads(line)["answers"] for line in said]


class Tally(dict):
    def add(self, key, count=1):
        self[key] = self.get(key, 0) + count


def compare(file, cut, wanted, found, tally):
    """FALSE when one answer differs."""
    for query, expected, got in zip(file["queries"], wanted, found, strict=True):
        tally.add("answers")
        tally.add("with a release", bool(expected and expected["mapping"]))
        tally.add("without an answer", expected is None)
        if "error" in got if expected is None else {key: got[key] for key in expected} == expected:
            continue
        print(json.dumps({**file, "queries": [query]}), "\ncut", cut, "wanted", expected, "got", got)
        return False
    return True


def run(program, files, rng, tally):
    """Cuts compared with the reading; then, where nothing waits, with Drover itself on the rows that are live then."""
    enacted = []
    for file, found in zip(files, asked(program, files), strict=True):
        chosen = rng.choice(file["cuts"])
        for cut, overlay in expected_overlays(file):
            tally.add("cuts")
            tally.add("cuts behind a conflict", bool(overlay.conflicts))
            if not compare(file, cut, [overlay.answer(query) for query in file["queries"]], found[str(cut)], tally):
                return False
            if cut == chosen and not overlay.conflicts:
                rows = {table: list(overlay.state[table].values()) for table in KEYS}
                enacted.append(({**file, **rows, "pending": [], "cuts": [0]}, found[str(cut)]))
    tally.add("cuts enacted", len(enacted))
    for (file, before), after in zip(enacted, asked(program, [file for file, _ in enacted]), strict=True):
        if before != after["0"]:
            print(json.dumps(file), "\nas a test channel:", before, "\nlive:", after["0"])
            return False
    return True


def main():
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 4500
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tally = Tally()
    for _ in range(0, wanted, 1000):
        if not run(sys.argv[1], [random_file(rng) for _ in range(min(1000, wanted))], rng, tally):
            return 1
    print(", ".join(f"{count} {what}" for what, count in tally.items()) + ": all agree")
    is_awake = tally["with a release"] > tally["answers"] // 10 and min(
        tally["without an answer"], tally["cuts behind a conflict"], tally["cuts enacted"]) > wanted // 10
    return 0 if is_awake else 1


sys.exit(main())
