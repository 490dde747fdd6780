# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy that breaks connections at a chosen octet.

    proxy = FaultProxy(server.imap_port)
    proxy.at(70_000, "cut")                                   after 70,000 more octets to the client, over all connections
    proxy.at(500, "stall", direction="to_server", per="connection", seconds=3)
    proxy.when(is_body, "silence", after_octets=1000)         the rules of Proxy know the faults too

What may happen to a connection:

  cut, reset   it ends, with FIN or RST
  stall        nothing passes in either direction for `seconds`, then all of it does
  silence      nothing passes any more, in either direction, nor does its end: a peer that is gone without a word
  delay        each piece passes `seconds` later, in either direction
  throttle     no more than `rate` octets in a second pass to the client
  a function   is called at exactly this octet, and what comes behind it waits until it returns
"""

import time
from dataclasses import dataclass

from proxy import Broken, Proxy, Session

DIRECTIONS = ("to_client", "to_server")
THROTTLE_SLICES = 20  # in a second


@dataclass(eq=False)
class Fault:
    position: int  # octets, of the connection, or of all of them since the proxy began
    action: object
    direction: str
    per: str
    times: int
    seconds: float
    rate: int
    fired: int = 0


class FaultProxy(Proxy):
    def __init__(self, server_port, **kwargs):
        self.faults = []
        self.passed = dict.fromkeys(DIRECTIONS, 0)  # octets over all connections; clear() does not forget them
        super().__init__(server_port, **kwargs)

    def at(self, octet, action, direction="to_client", per="total", times=1, seconds=1.0, rate=10_000):
        """Plans a fault: after `octet` more octets of this direction altogether, or, with per="connection", after
        as many of a connection, on the first `times` connections that get there."""
        assert direction in DIRECTIONS and per in ("total", "connection")
        with self._lock:
            position = octet + (self.passed[direction] if per == "total" else 0)
            fault = Fault(position, action, direction, per, times, seconds, rate)
            self.faults.append(fault)
        return fault

    def forget_faults(self):
        with self._lock:
            self.faults.clear()

    def break_all(self, action, **details):
        """The fault happens to every connection there is, now."""
        with self._lock:
            sessions = list(self._live)
        fault = Fault(0, action, "to_client", "total", 1, details.get("seconds", 1.0), details.get("rate", 10_000))
        for session in sessions:
            session.arrange(fault)
        return len(sessions)

    def _new_session(self, client, upstream, number):
        return FaultSession(self, client, upstream, number)

    def _until_fault(self, session, direction, length):
        """How many of the next `length` octets pass before something happens, and what happens then, or None."""
        with self._lock:
            allowed, due = length, None
            for fault in self.faults:
                if fault.fired >= fault.times or fault.direction != direction or fault in session.suffered:
                    continue
                passed = self.passed if fault.per == "total" else session.passed
                distance = fault.position - passed[direction]
                if 0 <= distance <= allowed and (due is None or distance < allowed):
                    allowed, due = distance, fault
            if due is not None:
                due.fired += 1
                session.suffered.add(due)
            session.passed[direction] += allowed
            self.passed[direction] += allowed
            return allowed, due


class FaultSession(Session):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.passed = dict.fromkeys(DIRECTIONS, 0)
        self.suffered = set()  # faults that this connection has had
        self.silent = False
        self.stalled_until = 0.0
        self.rate = None

    def arrange(self, fault):
        """Makes the fault come true from here on; what must happen on this thread is left to _suffer()."""
        if fault.action in ("cut", "reset"):
            self.cut(reset=fault.action == "reset")
        elif fault.action == "stall":
            self.stalled_until = time.monotonic() + fault.seconds
        elif fault.action == "silence":
            self.silent = True
        elif fault.action == "delay":
            self.to_client.more_delay = self.to_server.more_delay = fault.seconds
        elif fault.action == "throttle":
            self.rate = fault.rate
        else:
            fault.action()

    def _suffer(self, fault):
        self.arrange(fault)
        if self.broken:
            raise Broken

    def _obey(self, action):
        if action == "silence":
            self.silent = True
        else:
            super()._obey(action)

    def _pass(self, direction, piece, send):
        while piece:
            self._wait_while_stalled()
            allowed, fault = self.proxy._until_fault(self, direction, len(piece))
            if allowed:
                self._send(direction, piece[:allowed], send)
            piece = piece[allowed:]
            if fault is not None:
                self._suffer(fault)

    def _send(self, direction, piece, send):
        if self.rate is None or direction != "to_client":
            if not self.silent:
                send(piece)
            return
        size = max(1, self.rate // THROTTLE_SLICES)
        for start in range(0, len(piece), size):
            if self.silent or self.broken:
                return
            send(piece[start:start + size])
            time.sleep(1 / THROTTLE_SLICES)

    def _wait_while_stalled(self):
        while time.monotonic() < self.stalled_until and not self.broken and not self.proxy._closed:
            time.sleep(0.02)

    def _send_to_server(self, piece):
        self._pass("to_server", piece, super()._send_to_server)

    def _send_to_client(self, piece):
        self._pass("to_client", piece, super()._send_to_client)

    def _tell_server_is_gone(self):
        if not self.silent:
            super()._tell_server_is_gone()
