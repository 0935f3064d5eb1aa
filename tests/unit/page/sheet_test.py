# SPDX-License-Identifier: ISC
"""The sheet's text colours reach WCAG AA (4.5) on every ground they stand on, in both schemes: usage: sheet_test.py
DROVER.css"""
import re
import sys

PAIRS = [
    ("ink", "ground"), ("ink", "card"), ("quiet", "ground"), ("quiet", "card"), ("accent", "ground"),
    ("accent", "card"), ("accent-ink", "accent"), ("good", "card"), ("good", "ground"),
    ("good", "good-ground"), ("pending", "card"), ("pending", "ground"), ("bad", "card"), ("bad", "ground"),
    ("bad", "bad-ground"), ("ink", "good-ground"), ("ink", "pending-ground"), ("ink", "bad-ground"),
    ("quiet", "pending-ground"), ("accent", "pending-ground"), ("quiet", "good-ground"), ("accent", "good-ground"),
    ("pending", "pending-ground"), ("quiet", "bad-ground"),
]


def luminance(colour):
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def main():
    sheet = open(sys.argv[1], encoding="utf-8").read()
    blocks = re.findall(r":root \{([^}]*)\}", sheet)
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in blocks[:2])
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    failures = [
        f"{scheme}: {text} on {ground} has {contrast(colours[text], colours[ground]):.2f}"
        for scheme, colours in (("light", light), ("dark", dark))
        for text, ground in PAIRS
        if contrast(colours[text], colours[ground]) < 4.5
    ]
    assert not failures, "\n".join(failures)
    used = set(re.findall(r"var\(--([a-z-]+)\)", sheet))
    known = set(re.findall(r"--([a-z-]+):", sheet))
    assert used <= known, f"used but not defined: {used - known}"
    assert known <= used, f"defined but not used: {known - used}"


main()
