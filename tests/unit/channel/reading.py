# SPDX-License-Identifier: ISC
"""A plain reading of docs/channel.md, for tests to compare Drover with.

There is no index and nothing is compiled: changes are enacted op by op on rows, all rules are walked for each query,
versions are compared as tuples. Whom two changes both concern is found by trying names. A state is {table: {key: row}}.
"""
import copy
import hashlib
import re

# Versions ---------------------------------------------------------------------------------------

MOZILLA = re.compile(r"(\d+(?:\.\d+){1,3})(?:-?([A-Za-z])[A-Za-z]*(\d*))?", re.ASCII)
COMPONENT = re.compile(r"(\d+ | [a-z]+ | \.)", re.VERBOSE | re.ASCII)
IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = re.compile(rf"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-({IDENTIFIER}(?:\.{IDENTIFIER})*))?"
                    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII)


def mozilla(text):
    """Numbers of which the third of four is dropped, then whether it is whole, then the suffix."""
    found = MOZILLA.fullmatch(text)
    if not found:
        return None
    numbers = [int(part) for part in found[1].split(".")]
    if len(numbers) == 4:
        del numbers[2]
    numbers += [0] * (3 - len(numbers))
    return numbers, not found[2], (found[2], int(found[3]) if found[3] else -1) if found[2] else ()


def loose(text):
    """The list of LooseVersion.parse, a number as (0, number, ""), a word as (1, 0, word)."""
    parts = [part for part in COMPONENT.split(text) if part and part != "."]
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts] or None


def semver(text):
    found = SEMVER.fullmatch(text)
    if not found:
        return None
    *numbers, suffix = found.groups()
    identifiers = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in suffix.split(".")] if suffix else []
    return [int(number) for number in numbers], not suffix, identifiers


SCHEMES = {"mozilla": mozilla, "loose": loose, "semver": semver}


def leading_numbers(scheme, key):
    return [part[1] if part[0] == 0 else None for part in key] if scheme == "loose" else key[0]


def compared(operator, a, b):
    return {"": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def with_operator(text):
    return re.fullmatch(r"([<>]=?)?(.*)", text).groups(default="")


def version_tests(scheme, wanted):
    """None when one of them is none in this scheme."""
    tests = []
    for one in wanted.split(","):
        operator, text = with_operator(one.strip())
        glob = re.fullmatch(r"(\d+(?:\.\d+)?)\.\*", text)
        key = [int(part) for part in glob[1].split(".")] if glob else SCHEMES[scheme](text)
        if key is None or (glob and operator):
            return None
        tests.append((operator, bool(glob), key))
    return tests


def meets_version(scheme, wanted, said):
    tests = version_tests(scheme, wanted)
    key = SCHEMES[scheme](said)
    return tests is not None and any(
        leading_numbers(scheme, key)[:len(test)] == test if is_glob else compared(operator, key, test)
        for operator, is_glob, test in tests)


# Matching ---------------------------------------------------------------------------------------

def names(channel):
    return {channel, channel.partition("-cck-")[0]} - {""}


def meets_channel(wanted, said):
    if wanted.endswith("*"):
        return any(name.startswith(wanted[:-1]) for name in names(said))
    return wanted in names(said)


def meets_choices(wanted, is_there):
    return any(all(is_there(part.strip()) for part in one.split("&&")) for one in wanted.split(","))


def elements(text):
    return [part.strip() for part in text.split(",")]


def compared_builds(a, b):
    """-1, 0, 1; texts unless both are digits."""
    if a.isdigit() and b.isdigit():
        a, b = int(a), int(b)
    return (a > b) - (a < b)


def matches(scheme, rule, query):
    """The scheme of the query's product."""
    for column in ("product", "platform", "arch", "dist_version"):
        if column in rule and rule[column] != query.get(column):
            return False
    if "channel" in rule and not ("channel" in query and meets_channel(rule["channel"], query["channel"])):
        return False
    if "version" in rule and not ("version" in query and meets_version(scheme, rule["version"], query["version"])):
        return False
    if "build_id" in rule:
        operator, wanted = with_operator(rule["build_id"])
        if "build_id" not in query or not compared(operator, compared_builds(query["build_id"], wanted), 0):
            return False
    if "os_version" in rule:
        if "os_version" not in query or not meets_choices(rule["os_version"], lambda part: part in query["os_version"]):
            return False
    if "instruction_set" in rule:
        said = elements(query.get("instruction_set", ""))
        if not meets_choices(rule["instruction_set"], lambda part: part in said):
            return False
    for column in ("locale", "distribution"):
        if column in rule and query.get(column) not in elements(rule[column]):
            return False
    if "memory" in rule and "memory" in query:
        operator, wanted = with_operator(rule["memory"])
        if not compared(operator, query["memory"], int(wanted)):
            return False
    for flag, wanted in rule.get("flags", {}).items():
        if query.get("flags", {}).get(flag) is not wanted:
            return False
    return all(query.get("tags", {}).get(name) in values for name, values in rule.get("tags", {}).items())


# The answer -------------------------------------------------------------------------------------

def rotate(value, bits):
    return ((value << bits) | (value >> (64 - bits))) & 0xFFFFFFFFFFFFFFFF


def siphash(key, message):
    """SipHash-2-4, as its paper says."""
    k0, k1 = (int.from_bytes(key[start:start + 8], "little") for start in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(count):
        for _ in range(count):
            for a, b, c, d, first, second in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
                v[a] = (v[a] + v[b]) & 0xFFFFFFFFFFFFFFFF
                v[b] = rotate(v[b], first) ^ v[a]
                if a == 0:
                    v[0] = rotate(v[0], 32)
                    v[2] = (v[2] + v[3]) & 0xFFFFFFFFFFFFFFFF
                    v[3] = rotate(v[3], 16) ^ v[2]
                else:
                    v[2] = rotate(v[2], 32)
                    v[0] = (v[0] + v[3]) & 0xFFFFFFFFFFFFFFFF
                    v[3] = rotate(v[3], 21) ^ v[0]
    padded = message + bytes(-(len(message) + 1) % 8) + bytes([len(message) % 256])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start:start + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def share_of(product, mapping, client):
    key = hashlib.sha256(product.encode() + b"\0" + mapping.encode()).digest()[:16]
    return siphash(key, client.encode()) % 100


def scheme_of(schemes, product):
    return schemes.get(product, "mozilla")


def good_releases(schemes, state):
    return {name: row for name, row in state["releases"].items()
            if "version" not in row or SCHEMES[scheme_of(schemes, row.get("product"))](row["version"]) is not None}


def is_good(schemes, releases, rule):
    """A rule that would have been refused matches nothing."""
    if "version" in rule:
        readings = [scheme_of(schemes, rule["product"])] if "product" in rule else list(SCHEMES)
        if all(version_tests(scheme, rule["version"]) is None for scheme in readings):
            return False
    owners = {releases[rule[column]].get("product") for column in ("mapping", "fallback_mapping")
              if rule.get(column) in releases}
    return "product" not in rule or owners <= {None, rule["product"]}


def version_of(schemes, release):
    scheme = scheme_of(schemes, release.get("product"))
    return scheme, SCHEMES[scheme](release["version"]) if "version" in release else None


def declines(schemes, release, query):
    platforms = release.get("platforms")
    platform = {}
    if platforms is not None:
        platform = platforms.get(query.get("platform"), {})
        platform = platforms[platform["alias"]] if "alias" in platform else platform
        if not platform or ("locales" in platform and query.get("locale") not in platform["locales"]):
            return True
    scheme, ours = version_of(schemes, release)
    if ours is None or "version" not in query or scheme != scheme_of(schemes, query.get("product")):
        return False
    theirs = SCHEMES[scheme](query["version"])
    if ours != theirs:
        return ours < theirs
    build = platform.get("build_id", release.get("build_id"))
    return not (build is not None and "build_id" in query and compared_builds(build, query["build_id"]) > 0)


def on_channel(rows, query, *more):
    """The row for the whole channel, else for the part before -cck-."""
    if "product" not in query or "channel" not in query:
        return None
    for channel in (query["channel"], query["channel"].partition("-cck-")[0]):
        for row in rows.values():
            if [row["product"], row["channel"], *(row[column] for column in ("version",) if more)] == [
                    query["product"], channel, *more]:
                return row
    return None


def held(schemes, releases, state, query, mapping):
    pin = on_channel(state["pins"], query, query["pin"]) if "pin" in query else None
    if pin is None:
        return mapping
    if mapping in releases and pin["mapping"] in releases:
        scheme, given = version_of(schemes, releases[mapping])
        other, line = version_of(schemes, releases[pin["mapping"]])
        if given is not None and line is not None and scheme == other and given <= line:
            return mapping
    return pin["mapping"]


def answer(schemes, state, query):
    """None where the query itself is refused."""
    scheme = scheme_of(schemes, query.get("product"))
    if "version" in query and SCHEMES[scheme](query["version"]) is None:
        return None
    releases = good_releases(schemes, state)
    matching = sorted((rule for rule in state["rules"].values()
                       if is_good(schemes, releases, rule) and matches(scheme, rule, query)),
                      key=lambda rule: (-rule.get("priority", 0), rule["rule_id"]))
    found = {"mapping": None, "rule_id": None, "matching": [rule["rule_id"] for rule in matching]}
    if on_channel(state["shutoffs"], query) is not None or not matching:
        return found
    rule = matching[0]
    found["rule_id"] = rule["rule_id"]
    rate = rule.get("rate", 100)
    share = share_of(query.get("product", ""), rule.get("mapping", ""), query["id"]) if "id" in query else query.get("draw", 50)
    inside = rate == 100 or (query["force"] == 1 if "force" in query else share < rate)
    mapping = rule.get("mapping" if inside else "fallback_mapping")
    if mapping is not None:
        mapping = held(schemes, releases, state, query, mapping)
        if mapping in releases and declines(schemes, releases[mapping], query):
            mapping = None
    return {**found, "mapping": mapping}


# Changes ----------------------------------------------------------------------------------------

KEYS = {"rules": ("rule_id",), "releases": ("name",), "shutoffs": ("product", "channel"),
        "pins": ("product", "channel", "version")}


def key_of(table, row):
    return tuple(row[column] for column in KEYS[table])


def key_of_op(op):
    return key_of(op["table"], op if KEYS[op["table"]][0] in op else op["row"])


def patched(row, patch):
    return {column: value for column, value in {**row, **patch}.items() if value is not None}


def enact_op(state, op):
    """The row before and after; None when it does not fit."""
    rows, key = state[op["table"]], key_of_op(op)
    before = rows.get(key)
    if (op["op"] == "insert") == (before is not None):
        return None
    if op["op"] == "delete":
        return before, rows.pop(key) and None
    after = patched(before or {}, op["row"])
    if op["op"] == "insert" and op["table"] == "rules":
        after["rule_id"] = key[0]
    if any(column not in after for column in KEYS[op["table"]]) or key_of(op["table"], after) != key:
        return None
    rows[key] = after
    return before, after


def enact(state, change):
    """None when it conflicts."""
    state = copy.deepcopy(state)
    if not all(enact_op(state, op) for op in change["ops"]):
        return None
    written = {key_of_op(op) for op in change["ops"] if op["table"] == "rules"}
    aliases = {}
    for key, rule in state["rules"].items():
        aliases.setdefault(rule.get("alias"), []).append(key)
    shared = [keys for alias, keys in aliases.items() if alias is not None and len(keys) > 1]
    return None if any(written & set(keys) for keys in shared) else state


def origins(release):
    return {file["from"] for platform in (release or {}).get("platforms", {}).values()
            for files in platform.get("locales", {}).values()
            for file in files.get("partials", []) + files.get("completes", [])} - {"*"}


def scope_of(row):
    return row.get("product"), row.get("channel")


def holds(scope, product, channel):
    """Is a query of this product and channel in the scope?"""
    return (scope[0] is None or scope[0] == product) and (
        scope[1] is None or (channel is not None and meets_channel(scope[1], channel)))


def overlap(a, b):
    """Some query is in both: of all names that could tell them apart one is tried."""
    products = {scope[0] for scope in (a, b)} | {"any"}
    stems = {scope[1].rstrip("*") for scope in (a, b) if scope[1] is not None}
    channels = {name + end for name in stems for end in ("", "x", "-cck-x")} | {None}
    return any(holds(a, product, channel) and holds(b, product, channel) for product in products for channel in channels)


class Footprint:
    """What a change touches, on top of the state; of an op that does not fit what it names and would have."""

    def __init__(self, state, change):
        self.state = state
        self.writes, self.reads, self.scopes = set(), set(), set()
        after_each = copy.deepcopy(state)
        for op in change["ops"]:
            table, key = op["table"], key_of_op(op)
            there = after_each[table].get(key)
            enacted = enact_op(after_each, op)
            if enacted is None:
                would = patched(there or {}, op.get("row", {})) if there is not None or op["op"] == "insert" else None
                enacted = there, would
            self.add(table, key, *enacted)

    def add(self, table, key, before, after):
        self.writes.add((table, *key))
        if table == "releases":
            self.concern_mapped(key[0])
            for name, release in self.state["releases"].items():
                if key[0] in origins(release):
                    self.concern_mapped(name[0])
            self.reads |= {("releases", name) for name in origins(after)}
        for row in (before, after):
            if row is not None and table != "releases":
                self.scopes.add(scope_of(row))
            if row is not None and table == "rules" and "alias" in row:
                self.writes.add(("alias", row["alias"]))
                self.scopes |= {scope_of(rule) for rule in self.state["rules"].values() if rule.get("alias") == row["alias"]}
        if table in ("rules", "pins") and after is not None:
            for name in {after.get("mapping"), after.get("fallback_mapping")} - {None}:
                self.reads |= {("releases", other) for other in {name} | origins(self.state["releases"].get((name,)))}

    def concern_mapped(self, name):
        for table in ("rules", "pins"):
            self.scopes |= {scope_of(row) for row in self.state[table].values()
                            if name in (row.get("mapping"), row.get("fallback_mapping"))}

    def meets(self, other):
        return bool(self.writes & (other.writes | other.reads) or self.reads & other.writes) or any(
            overlap(one, another) for one in self.scopes for another in other.scopes)

    def alters(self, query):
        return any(holds(scope, query.get("product"), query.get("channel")) for scope in self.scopes)


class Overlay:
    """Live, with changes on top: one that conflicts, or waits behind one that does, is left out."""

    def __init__(self, schemes, state):
        self.schemes, self.state, self.conflicts = schemes, state, []

    def go_on(self, change):
        after = enact(self.state, change)
        footprint = Footprint(self.state, change) if after is None or self.conflicts else None
        if after is None or any(one.meets(footprint) for one in self.conflicts):
            self.conflicts.append(footprint)
        else:
            self.state = after

    def answer(self, query):
        """None where there is none."""
        if any(one.alters(query) for one in self.conflicts):
            return None
        return answer(self.schemes, {**self.state, "releases": {key[0]: row for key, row in self.state["releases"].items()}}, query)
