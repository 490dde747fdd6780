# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile server to be looked at by hand."""

import argparse
import time

from . import MISBEHAVIOURS, HostileServer

parser = argparse.ArgumentParser(prog="hostile")
parser.add_argument("name", nargs="?", choices=sorted(MISBEHAVIOURS), metavar="NAME")
parser.add_argument("times", nargs="?", type=int)
arguments = parser.parse_args()
if arguments.name is None:
    print("\n".join(sorted(MISBEHAVIOURS)))
else:
    with HostileServer() as server:
        server.arm(arguments.name, arguments.times)
        print(f"imap://user@127.0.0.1:{server.imap_port}, any password, with -o tls=none", flush=True)
        while True:
            time.sleep(60)
