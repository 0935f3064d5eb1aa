# SPDX-License-Identifier: ISC
"""Turns files into one C source: a table of name, bytes and size.

usage: embed.py SYMBOL OUT.c FILE...

The table ends with a NULL name. Every blob has a NUL after its last byte, so text can be used as a
string. A .yaml file is embedded as the JSON it stands for, under the name with .json.
"""
import json
import os
import sys


def content(path):
    with open(path, "rb") as stream:
        data = stream.read()
    name = os.path.basename(path)
    if name.endswith(".yaml"):
        import yaml

        data = json.dumps(yaml.safe_load(data), separators=(",", ":")).encode()
        name = name[: -len(".yaml")] + ".json"
    return name, data


def main():
    symbol, out, *paths = sys.argv[1:]
    blobs = [content(path) for path in paths]
    with open(out, "w", encoding="ascii") as stream:
        stream.write('#include "base/embedded.h"\n')
        for number, (_, data) in enumerate(blobs):
            stream.write(f"static const unsigned char blob_{number}[] = {{")
            for start in range(0, len(data), 20):
                stream.write("\n" + ",".join(str(byte) for byte in data[start : start + 20]) + ",")
            stream.write("0};\n")
        stream.write(f"const EmbeddedFile {symbol}[] = {{\n")
        for number, (name, data) in enumerate(blobs):
            stream.write(f'\t{{"{name}", blob_{number}, {len(data)}}},\n')
        stream.write("\t{0, 0, 0}};\n")


main()
