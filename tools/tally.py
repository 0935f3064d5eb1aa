# SPDX-License-Identifier: ISC
"""Counts the tests in one part's output.

usage: tally.py EXIT-STATUS LOG

Prints "PASSED FAILED". Understands cmocka, pytest and node's runner; a part without tests of its own (a build)
counts as one. A part that failed without a failed test counts one failure.
"""
import re
import sys


def main():
    status = int(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8", errors="replace") as stream:
        text = stream.read()
    cmocka_passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", text)))
    cmocka_failed = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", text)))
    pytest_passed = sum(map(int, re.findall(r"\b(\d+) passed\b", text)))
    pytest_failed = sum(map(int, re.findall(r"\b(\d+) (?:failed|errors?)\b", text)))
    node_passed = sum(map(int, re.findall(r"^# pass (\d+)$", text, re.M)))
    node_failed = sum(map(int, re.findall(r"^# fail (\d+)$", text, re.M)))
    passed = cmocka_passed + pytest_passed + node_passed
    failed = cmocka_failed + pytest_failed + node_failed
    if status != 0 and failed == 0:
        failed = 1
    if status == 0 and passed + failed == 0:
        passed = 1
    if status == 0:
        failed = 0
    print(passed, failed)


main()
