# SPDX-License-Identifier: ISC
"""Random rules, queues and queries, answered by Drover and by a plain reading of docs/channel.md.

The reader here has no index and compiles nothing: it enacts the queue op by op on a list of rows, walks all rules
for each query, and compares versions of the mozilla scheme as tuples. Usage: agreement.py ANSWER_LINES [STATES [SEED]].
"""
import copy
import json
import random
import re
import subprocess
import sys

PRODUCTS = ["P", "Q", "R"]
CHANNELS = ["release", "beta", "release-cck-acme", "beta-cck-x-cck-y", "nightly", "rel"]
VERSIONS = ["59.0", "60.0", "60.0a1", "60.0b2", "60.0.1", "61.0", "6.0", "1.5.0.12", "60.0-x"]
LOCALES = ["de", "fr", "en-US"]
PLATFORMS = ["T", "U", "V"]
OS = ["Linux 5.4", "Linux 6.1", "Windows 10 x86", ""]
SETS = ["SSE2", "SSE3", "AVX,FMA"]


def version_key(text):
    numbers, suffix = re.fullmatch(r"([\d.]+)(.*)", text).groups()
    parts = [int(part) for part in numbers.split(".")]
    if len(parts) == 4:
        del parts[2]
    parts += [0] * (3 - len(parts))
    if not suffix:
        return (*parts, (1,))
    letter, digits = re.fullmatch(r"-?([A-Za-z])[A-Za-z]*(\d*)", suffix).groups()
    return (*parts, (0, letter, int(digits) if digits else -1))


def compared(operator, a, b):
    return {"": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def with_operator(text):
    return re.fullmatch(r"([<>]=?)?(.*)", text).groups(default="")


def meets_version(wanted, said):
    for one in wanted.split(","):
        operator, version = with_operator(one)
        if version.endswith("*"):
            numbers = tuple(int(part) for part in version[:-2].split("."))
            if version_key(said)[:len(numbers)] == numbers:
                return True
        elif compared(operator, version_key(said), version_key(version)):
            return True
    return False


def names(channel):
    return {channel, channel.partition("-cck-")[0]} - {""}


def meets_channel(wanted, said):
    if wanted.endswith("*"):
        return any(name.startswith(wanted[:-1]) for name in names(said))
    return wanted in names(said)


def meets_choices(wanted, is_there):
    return any(all(is_there(part.strip()) for part in one.split("&&")) for one in wanted.split(","))


def matches(rule, query):
    for column in ("product", "platform", "arch"):
        if column in rule and rule[column] != query.get(column):
            return False
    if "channel" in rule and not ("channel" in query and meets_channel(rule["channel"], query["channel"])):
        return False
    if "version" in rule and not ("version" in query and meets_version(rule["version"], query["version"])):
        return False
    if "build_id" in rule:
        operator, wanted = with_operator(rule["build_id"])
        if "build_id" not in query or not compared(operator, int(query["build_id"]), int(wanted)):
            return False
    if "os_version" in rule:
        if "os_version" not in query or not meets_choices(rule["os_version"], lambda part: part in query["os_version"]):
            return False
    if "instruction_set" in rule:
        said = [part.strip() for part in query.get("instruction_set", "").split(",")]
        if not meets_choices(rule["instruction_set"], lambda part: part in said):
            return False
    if "locale" in rule and query.get("locale") not in [part.strip() for part in rule["locale"].split(",")]:
        return False
    if "memory" in rule and "memory" in query:
        operator, wanted = with_operator(rule["memory"])
        if not compared(operator, query["memory"], int(wanted)):
            return False
    for flag, wanted in rule.get("flags", {}).items():
        if query.get("flags", {}).get(flag) is not wanted:
            return False
    return all(query.get("tags", {}).get(name) in values for name, values in rule.get("tags", {}).items())


def declines(release, query):
    platforms = release.get("platforms")
    if platforms is not None:
        locales = platforms.get(query.get("platform"))
        if locales is None or query.get("locale") not in locales["locales"]:
            return True
    if "version" not in release or "version" not in query:
        return False
    ours, theirs = version_key(release["version"]), version_key(query["version"])
    if ours != theirs:
        return ours < theirs
    return not ("build_id" in release and "build_id" in query and int(release["build_id"]) > int(query["build_id"]))


def answer(state, query):
    matching = sorted((rule for rule in state["rules"] if matches(rule, query)),
                      key=lambda rule: (-rule.get("priority", 0), rule["rule_id"]))
    found = {"mapping": None, "rule_id": None, "matching": [rule["rule_id"] for rule in matching]}
    channels = names(query["channel"]) if "channel" in query else set()
    if any(row["product"] == query.get("product") and row["channel"] in channels for row in state["shutoffs"]) or not matching:
        return found
    rule = matching[0]
    found["rule_id"] = rule["rule_id"]
    rate = rule.get("rate", 100)
    force = query.get("force")
    inside = rate == 100 or (force == 1 if force else query.get("draw", 50) < rate)
    mapping = rule.get("mapping" if inside else "fallback_mapping")
    releases = {release["name"]: release for release in state["releases"]}
    if mapping in releases and declines(releases[mapping], query):
        mapping = None
    return {**found, "mapping": mapping}


def enact(state, change):
    """None when it conflicts."""
    state = copy.deepcopy(state)
    for op in change["ops"]:
        rows = state[op["table"]]
        if op["table"] == "shutoffs":
            there = [row for row in rows if row == op["row"]]
            if (op["op"] == "insert") == bool(there):
                return None
            rows.append(op["row"]) if op["op"] == "insert" else rows.remove(op["row"])
            continue
        there = [row for row in rows if row["rule_id"] == op["rule_id"]]
        if (op["op"] == "insert") == bool(there):
            return None
        if op["op"] == "insert":
            rows.append({**op["row"], "rule_id": op["rule_id"]})
        elif op["op"] == "delete":
            rows.remove(there[0])
        else:
            for column, value in op["row"].items():
                there[0].pop(column, None)
                if value is not None:
                    there[0][column] = value
    return state


def random_rule(rng, number):
    rule = {"rule_id": number, "priority": rng.randrange(6), "mapping": rng.choice("ABCDE")}
    maybe = {
        "product": lambda: rng.choice(PRODUCTS),
        "channel": lambda: rng.choice(["release", "beta", "release*", "rel*", "beta-cck-x*", "nightly"]),
        "platform": lambda: rng.choice(PLATFORMS),
        "arch": lambda: rng.choice(["Intel", "ARM"]),
        "version": lambda: ",".join(rng.choice(["", "<", "<=", ">", ">="]) + rng.choice(VERSIONS) for _ in range(rng.randint(1, 2)))
        if rng.random() < .7 else rng.choice(["60.*", "60.0.*", "6.*", "1.5.*"]),
        "build_id": lambda: rng.choice(["", "<", "<=", ">", ">="]) + str(rng.randrange(95, 105)),
        "os_version": lambda: rng.choice(["Linux", "Linux, Windows", "Linux && 6", "x86&&Windows"]),
        "instruction_set": lambda: rng.choice(["SSE2", "SSE2,SSE3", "AVX && FMA", "SSE"]),
        "locale": lambda: rng.choice(["de", "de, fr", "en-US"]),
        "memory": lambda: rng.choice(["", "<", "<=", ">", ">="]) + str(rng.randrange(1, 4)),
        "flags": lambda: {rng.choice(["jaws", "mig64"]): rng.random() < .5},
        "tags": lambda: {"rack": rng.sample("abc", rng.randint(1, 2))},
        "rate": lambda: rng.choice([0, 25, 50, 51, 99, 100]),
        "fallback_mapping": lambda: rng.choice("FGH"),
    }
    for column, value in maybe.items():
        if rng.random() < {"product": .7, "channel": .6}.get(column, .15):
            rule[column] = value()
    if rng.random() < .1:
        del rule["mapping"]
    return rule


def random_query(rng):
    query = {"product": rng.choice(PRODUCTS + ["S"]), "channel": rng.choice(CHANNELS), "version": rng.choice(VERSIONS),
             "build_id": str(rng.randrange(95, 105)), "platform": rng.choice(PLATFORMS), "locale": rng.choice(LOCALES),
             "os_version": rng.choice(OS), "instruction_set": rng.choice(SETS), "arch": rng.choice(["Intel", "ARM"]),
             "memory": rng.randrange(1, 4), "flags": {"jaws": rng.random() < .5}, "tags": {"rack": rng.choice("abc")},
             "draw": rng.randrange(100), "force": rng.choice([1, -1])}
    for key in list(query):
        if rng.random() < (.9 if key == "force" else .08):
            del query[key]
    return query


def random_op(rng, ids):
    if rng.random() < .15:
        return {"op": rng.choice(["insert", "delete"]), "table": "shutoffs",
                "row": {"product": rng.choice(PRODUCTS), "channel": rng.choice(["release", "beta"])}}
    verb = rng.choice(["insert", "update", "update", "delete"])
    number = max(ids) + 1 if verb == "insert" else rng.choice(sorted(ids))
    ids.add(number)
    row = random_rule(rng, number)
    del row["rule_id"]
    if verb == "update":
        row = {column: None if rng.random() < .2 and column != "priority" else value
               for column, value in row.items() if rng.random() < .5}
    op = {"op": verb, "table": "rules", "rule_id": number}
    return op if verb == "delete" else {**op, "row": row}


def random_file(rng):
    ids = set(range(1, rng.randint(2, 15)))
    shutoffs = [{"product": product, "channel": channel} for product in PRODUCTS for channel in ("release", "beta")
                if rng.random() < .1]
    releases = [{"name": name, **({"version": rng.choice(VERSIONS)} if rng.random() < .7 else {}),
                 **({"build_id": str(rng.randrange(95, 105))} if rng.random() < .5 else {}),
                 **({"platforms": {platform: {"locales": {locale: {} for locale in rng.sample(LOCALES, 2)}}
                                   for platform in rng.sample(PLATFORMS, 2)}} if rng.random() < .3 else {})}
                for name in "ABF" if rng.random() < .6]
    rules = [random_rule(rng, number) for number in ids]
    rng.shuffle(rules)
    changes = [{"id": number, "when": rng.randrange(1, 6), "ops": [random_op(rng, ids) for _ in range(rng.randint(1, 3))]}
               for number in range(1, rng.randint(1, 5))]
    return {"rules": rules, "releases": releases, "shutoffs": shutoffs, "pending": changes,
            "queries": [random_query(rng) for _ in range(12)], "cuts": list(range(6))}


def expected_answers(file):
    """Up to the first conflict: behind it, what has no answer is another test's business."""
    state = {table: file[table] for table in ("rules", "releases", "shutoffs")}
    queue = sorted(file["pending"], key=lambda change: (change["when"], change["id"]))
    for cut in file["cuts"]:
        while queue and queue[0]["when"] <= cut:
            state = enact(state, queue.pop(0))
            if state is None:
                return
        yield cut, [answer(state, query) for query in file["queries"]]


def main():
    states = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    rng = random.Random(seed)
    files = [random_file(rng) for _ in range(states)]
    said = subprocess.run([sys.argv[1]], input="".join(json.dumps(file) + "\n" for file in files), capture_output=True,
                          text=True, check=True).stdout.splitlines()
    cuts = compared_answers = served = 0
    for file, line in zip(files, said, strict=True):
        found = json.loads(line)
        for cut, answers in expected_answers(file):
            cuts += 1
            for query, wanted, got in zip(file["queries"], answers, found["answers"][str(cut)], strict=True):
                compared_answers += 1
                served += wanted["mapping"] is not None
                if {key: got[key] for key in wanted} != wanted:
                    print(json.dumps({**file, "queries": [query]}), "\ncut", cut, "wanted", wanted, "got", got)
                    return 1
    print(f"{cuts} states, {compared_answers} answers, {served} with a release: all agree")
    return 0 if cuts >= states and served > compared_answers // 10 else 1


sys.exit(main())
