# SPDX-License-Identifier: ISC
"""BIRD, configured as docs/kernel.md shows."""
import os

from bed import run

BIRD = """
router id {own};
protocol device {{ scan time 1; }}
{learn}
protocol bgp peer {{
    local {own} as {local_as};
    neighbor {peer} as {peer_as};
    hold time 9;
    connect retry time 1;
    connect delay time 1;
    error wait time 1, 2;
    ipv4 {{ import {take}; export {give}; {next4} }};
    ipv6 {{ import {take}; export {give}; {next6} }};
}}
"""
# What docs/kernel.md shows.
LEARN = """
ipv4 table services4;
ipv6 table services6;
protocol kernel services_v4 {
    kernel table 9090;
    learn;
    scan time 1;
    ipv4 { table services4; import all; export none; };
}
protocol kernel services_v6 {
    kernel table 9090;
    learn;
    scan time 1;
    ipv6 { table services6; import all; export none; };
}
protocol pipe { table master4; peer table services4; import where krt_source = 190; export none; }
protocol pipe { table master6; peer table services6; import where krt_source = 190; export none; }
"""


def bird(host, name, own, peer, local_as, peer_as, director):
    place = f"/run/bird-{host.name}"
    os.makedirs(place)
    with open(f"{place}/bird.conf", "w", encoding="utf-8") as stream:
        stream.write(BIRD.format(
            own=own, peer=peer, local_as=local_as, peer_as=peer_as, learn=LEARN if director else "",
            take="none" if director else "all", give="where krt_source = 190" if director else "none",
            next4="" if director else "", next6="next hop address fd00::1;" if director else ""))
    host.start(f"bird -f -c {place}/bird.conf -s {place}/ctl -P {place}/pid")
    return lambda command: run(f"birdc -s {place}/ctl {command}", check=False)
