# SPDX-License-Identifier: GPL-3.0-or-later
"""The IMAP servers from npm, which hold their mail in memory."""

import json
from pathlib import Path

from servers.packages import node_modules
from servers.server import Server

SCRIPTS = Path(__file__).with_name("npm")


class NodeServer(Server):
    script = None
    forgets = True

    def command(self):
        # The modules of a script are looked for beside it: in the cache, not in this tree.
        modules = node_modules() / "node_modules"
        return ["env", f"NODE_PATH={modules}", "node", SCRIPTS / self.script, self.imap_port, json.dumps(self.users)]


class HoodiecrowServer(NodeServer):
    name = "hoodiecrow"
    script = "hoodiecrow.js"


class WildduckServer(NodeServer):
    name = "wildduck"
    script = "wildduck.js"
