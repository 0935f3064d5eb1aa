# SPDX-License-Identifier: ISC
"""A balancer that speaks the protocol of docs/pools.md, and does what the test says.

    lb = Balancer(port, secret, "web")
    lb.report(web1={"state": "up", "pooled": True})
    waiting = lb.ask_later()
    ...
    orders = waiting.answer()
"""
import contextlib
import datetime
import http.client
import json
import threading
import time

NOW = "2026-11-21T07:00:00Z"


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Waiting:
    """A question under way, in a thread of its own."""

    def __init__(self, ask):
        self.said, self.took_s, self.problem = None, None, None
        self.thread = threading.Thread(target=self._run, args=(ask,), daemon=True)
        self.thread.start()

    def _run(self, ask):
        begin = time.monotonic()
        try:
            self.said = ask()
        except OSError as problem:
            self.problem = problem
        self.took_s = time.monotonic() - begin

    @property
    def is_answered(self):
        return not self.thread.is_alive()

    def answer(self, within_s=40):
        self.thread.join(within_s)
        assert self.is_answered, "still waiting"
        if self.problem:
            raise self.problem
        return self.said


class Balancer:
    def __init__(self, port, secret, pool, started=None):
        self.port, self.secret, self.pool = port, secret, pool
        self.started = started or now()
        self.sequence = 0
        self.version = 0
        self.epoch = 0

    def call(self, method, path, body=None, port=None, timeout=60):
        """(status, JSON)"""
        headers = {"Authorization": f"Bearer {self.secret}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)) as line:
            line.request(method, f"/api/v1{path}", body=json.dumps(body) if body is not None else None, headers=headers)
            answer = line.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text

    def orders(self, after=None, **how):
        """The orders, which it obeys from now on."""
        status, said = self.call("GET", f"/pools/{self.pool}/orders" + (f"?after={after}" if after else ""), **how)
        assert status == 200, said
        self.version, self.epoch = said["version"], said["epoch"]
        return said

    def order(self, host):
        return next(each for each in self.orders()["servers"] if each["host"] == host)

    def ask_later(self, after=None, **how):
        """Waits for orders that are not the ones it has."""
        known = after or self.version
        return Waiting(lambda: self.call("GET", f"/pools/{self.pool}/orders?after={known}", **how))

    def body(self, alerts=(), can_serve=True, can_depool=True, **servers):
        """Servers by keyword; `_` in a name is a dash."""
        self.sequence += 1
        return {"version": self.version, "epoch": self.epoch, "now": now(), "started": self.started,
                "sequence": self.sequence, "can_serve": can_serve, "can_depool": can_depool, "alerts": list(alerts),
                "servers": [{"host": host.replace("_", "-"), "address": "10.0.0.1", "state": "up", "pooled": True, "held": False,
                             "enabled": True, "weight": 10, "current_weight": 10, "active": 0, "inactive": 0,
                             "since": NOW, "checked": NOW, "why": "TCP: connected in 1 ms", "order_id": 0,
                             "answer": "serving", "answer_why": None, **about} for host, about in servers.items()]}

    def report(self, alerts=(), expected=200, **servers):
        status, said = self.call("POST", f"/pools/{self.pool}/reports", self.body(alerts, **servers))
        assert status == expected, said
        return said
