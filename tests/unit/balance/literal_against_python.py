# SPDX-License-Identifier: ISC
"""Holds the literal parser to Python's own ast.literal_eval: what it reads, Python reads as the same value.

Texts are random values as Python writes them, which must all be read, and the same with a few bytes changed, which may be
refused, but must not be read as anything else. Argument: the literal_dump program.
"""
import ast
import json
import math
import random
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")
draw = random.Random(20)
MARKS = "'\"\\[](){},:#-+._ \t0123456789abefnoruxNTF"


def scalar():
    return draw.choice([
        lambda: None, lambda: True, lambda: False, lambda: draw.randint(-2**63, 2**63 - 1), lambda: draw.randint(0, 99),
        lambda: draw.uniform(-1e6, 1e6), lambda: draw.choice([.5, 1e300, -2e-9, 0.0]),
        lambda: "".join(draw.choice("ab'\"\\\n\té€😀#[]{}:, ") for _ in range(draw.randint(0, 8)))])()


def value(depth):
    if depth == 0 or draw.random() < .4:
        return scalar()
    parts = [value(depth - 1) for _ in range(draw.randint(0, 4))]
    kind = draw.randrange(3)
    if kind == 2:
        return {scalar(): part for part in parts}
    return tuple(parts) if kind else parts


def broken(text):
    for _ in range(draw.randint(1, 3)):
        at = draw.randint(0, len(text))
        text = text[:at] + draw.choice(["", *MARKS]) + text[at + draw.randint(0, 2):]
    return text


def rebuilt(answer):
    kind, found = answer
    if kind in ("list", "tuple", "dict"):
        parts = [rebuilt(part) for part in found]
        if kind == "dict":
            return dict(zip(parts[::2], parts[1::2]))
        return tuple(parts) if kind == "tuple" else parts
    return {"none": lambda: None, "bool": lambda: bool(found), "int": lambda: found, "real": lambda: float(found),
            "text": lambda: found}[kind]()


def same(left, right):
    return repr(left) == repr(right) or (left == right and not isinstance(left, float)) or (
        isinstance(left, float) and math.isclose(left, right))


def main():
    whole = [repr(value(3)) for _ in range(3000)]
    texts = whole + [broken(text) for text in whole for _ in range(8)]
    answers = json.loads(subprocess.run([sys.argv[1]], input=json.dumps(texts), capture_output=True, text=True,
                                        check=True).stdout)
    read = 0
    for number, (text, answer) in enumerate(zip(texts, answers, strict=True)):
        if answer is None:
            assert number >= len(whole), f"refused: {text}"
            continue
        try:
            expected = ast.literal_eval(text.strip())
        except (SyntaxError, ValueError, TypeError) as error:
            raise AssertionError(f"read, and Python refuses it: {text!r}: {error}") from None
        assert same(rebuilt(answer), expected), f"{text!r}: {rebuilt(answer)!r}, not {expected!r}"
        read += number >= len(whole)
    assert read > 1000
    print(f"{len(texts)} texts, {read} of the broken ones still literals")


main()
