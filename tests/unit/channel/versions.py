# SPDX-License-Identifier: ISC
"""Random versions of the schemes loose and semver, compared by Drover and by an independent reading.

loose is what Python's distutils called LooseVersion: split at dots and at runs of small letters, digits become numbers, and
the lists are compared. Where that fails (a number beside a word) Drover says that the number is smaller. semver is
section 11 of semver.org. Usage: versions.py VERSION_LINES [PAIRS [SEED]].
"""
import random
import subprocess
import sys

from reading import loose, semver


def expected(key, a, b):
    a, b = key(a), key(b)
    return "?" if a is None or b is None else "<" if a < b else ">" if a > b else "="


def random_loose(rng):
    return "".join(rng.choice(["0", "1", "2", "10", "01", ".", ".", ".", "a", "b", "rc", "RC", "-", "_", "A1"])
                   for _ in range(rng.randint(1, 8)))


def random_semver(rng):
    text = ".".join(rng.choice(["0", "1", "2", "10", "9007199254740993"]) for _ in range(3))
    if rng.random() < .6:
        text += "-" + ".".join(rng.choice(["0", "1", "2", "11", "alpha", "beta", "rc1", "-", "0a", "A"])
                               for _ in range(rng.randint(1, 3)))
    if rng.random() < .3:
        text += "+" + rng.choice(["a", "001", "a.b-c"])
    if rng.random() < .2:  # one slip
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice([".", "-", "+", "0", "_", "x", ""]) + text[place + 1:]
    return text


def variant(rng, text, make):
    """Near the first, so that parts are shared; now and then something else."""
    if rng.random() < .3:
        return make(rng)
    place = rng.randrange(len(text)) if text else 0
    return text[:place] + rng.choice(["", "0", "1", "a", ".", ".0", "b", "-"]) + text[place + rng.randint(0, 1):] or "0"


def main():
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    asked = []
    for scheme, make in (("loose", random_loose), ("semver", random_semver)):
        for _ in range(pairs):
            first = make(rng) or "0"
            asked.append((scheme, first, variant(rng, first, make)))
    said = subprocess.run([sys.argv[1]], input="".join(" ".join(one) + "\n" for one in asked), capture_output=True, text=True,
                          check=True).stdout.split()
    tally = {}
    for (scheme, a, b), found in zip(asked, said, strict=True):
        wanted = expected({"loose": loose, "semver": semver}[scheme], a, b)
        if found != wanted:
            print(f"{scheme}: {a!r} {b!r}: wanted {wanted}, got {found}")
            return 1
        tally[scheme, wanted] = tally.get((scheme, wanted), 0) + 1
    print(tally)
    return 0 if all(tally.get((scheme, order), 0) > pairs // 200 for scheme in ("loose", "semver") for order in "<=>?") else 1


sys.exit(main())
