#!/usr/bin/env python3
"""Octets to a port exactly as they are given, and what came back: for requests that no client of the field would let one write.

    wire.py PORT [options] <request >reply

    --tls CA        over TLS, the server checked against this PEM file
    --max-tls 1.2   at most this version
    --pieces N      sent in pieces of N octets, each a packet (and a TLS record) of its own
    --pause S       that many seconds between them
    --half-close    says after the request that nothing more comes
    --wait S        gives up on the reply after S seconds (5)

Prints one line on standard error: how many reads (over TLS: records) the reply came in, how many octets the first had, and how
it ended: closed (over TLS: by close_notify), torn (without), kept (still open when we gave up), broken (reset)."""
import argparse
import socket
import ssl
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--tls")
parser.add_argument("--max-tls", choices=["1.2", "1.3"], default="1.3")
parser.add_argument("--pieces", type=int, default=1 << 30)
parser.add_argument("--pause", type=float, default=0)
parser.add_argument("--half-close", action="store_true")
parser.add_argument("--wait", type=float, default=5)
options = parser.parse_args()


def connect():
    plain = socket.create_connection(("127.0.0.1", options.port), timeout=options.wait)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not options.tls:
        return plain
    context = ssl.create_default_context(cafile=options.tls)
    if options.max_tls == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False)


def send(sock, octets):
    for at in range(0, len(octets), options.pieces):
        sock.sendall(octets[at:at + options.pieces])
        if options.pause and at + options.pieces < len(octets):
            time.sleep(options.pause)
    if options.half_close:
        sock.shutdown(socket.SHUT_WR)


def receive(sock):
    reads, ending = [], "closed"
    deadline = time.monotonic() + options.wait
    try:
        while True:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            octets = sock.recv(65536)
            if not octets:
                break
            reads.append(octets)
    except ssl.SSLEOFError:
        ending = "torn"
    except TimeoutError:
        ending = "kept"
    except OSError:
        ending = "broken"
    return reads, ending


def main():
    sock = connect()
    try:
        send(sock, sys.stdin.buffer.read())
    except OSError:
        pass  # refused in the middle: the reply says why
    reads, ending = receive(sock)
    sys.stdout.buffer.write(b"".join(reads))
    print(f"reads={len(reads)} first={len(reads[0]) if reads else 0} end={ending}", file=sys.stderr)


main()
