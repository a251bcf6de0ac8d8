#!/usr/bin/env python3
"""Stands between a CMP client and the gateway: relay.py PORT GATEWAY_PORT [hold|lose N].

Each POST goes on as it came; while the gateway is down it is sent again, octet for octet, until it is answered. With `hold`
message N (from 1) goes on only when the file `go` is there; with `lose` its answer is thrown away, and when `go` is there it is
sent again. Either way `held` says that the moment has come. What the second answer was beside the first stands in `same` or
`differs`."""
import http.client
import http.server
import os
import sys
import threading
import time

port, target = int(sys.argv[1]), int(sys.argv[2])
how, number = (sys.argv[3], int(sys.argv[4])) if len(sys.argv) > 3 else ("", 0)
count, lock = 0, threading.Lock()


def mark(name):
    with open(name, "w"):
        pass


def forward(path, headers, body):
    for _ in range(1200):
        try:
            c = http.client.HTTPConnection("127.0.0.1", target, timeout=10)
            c.request("POST", path, body, headers)
            answer = c.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    return 504, "text/plain", b"the gateway does not come back\n"


def wait_for_go():
    mark("held")
    while not os.path.exists("go"):
        time.sleep(0.02)


class Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global count
        with lock:
            count += 1
            chosen = count == number
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = (self.path, {"Content-Type": self.headers["Content-Type"]}, body)
        if chosen and how == "hold":
            wait_for_go()
        status, kind, answer = forward(*request)
        if chosen and how == "lose":
            wait_for_go()
            lost, (status, kind, answer) = answer, forward(*request)
            mark("same" if answer == lost else "differs")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


Server(("127.0.0.1", port), Relay).serve_forever()
