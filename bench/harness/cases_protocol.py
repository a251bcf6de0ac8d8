"""Enrollments over each protocol: what part of the daemon's CPU is cryptography that nobody can leave out, and how many a
CPU second gives beside a peer. Every answer verified, every commit durable."""

from . import peers
from .clients import CmpClient
from .contender import Contender, alternate, by_tool
from .gateway import Gateway
from .result import Row, ratios, row_of

FLOOR = "cryptography alone ÷ CPU of the daemon"


def ours(bench, gateway, *arguments, closely=False):
    return Contender("muster", gateway.pid, by_tool(bench, gateway.pid, arguments), closely)


def add_floor(bench, measure, contender, least=None, aim=None):
    bench.add(row_of(f"{measure}: {FLOOR}", ratios(contender.floor_us, contender.cpu_us), least=least, aim=aim,
                     note=f"{contender.cpu:.0f} µs of CPU, {contender.floor:.0f} µs of it cryptography; {contender.rate:.0f} a second"))


def beside(bench, measure, make_peer, count, contender):
    """The same client against a peer and against ours, in turn. A peer that is not there is no fault."""
    title = f"{measure}: enrollments a CPU second ÷ {make_peer.__name__.replace('_', ' ')}"
    peer = make_peer(bench)
    if peer is None:
        bench.add(Row(title, None, least=3, aim=10, note="it is not installed", optional=True))
        return
    try:
        theirs = peer.contender
        alternate(bench, [contender, theirs], count)
        bench.add(row_of(title, ratios(theirs.cpu_us, contender.cpu_us), **({"least": 3, "aim": 10} if peer.judged else {}),
                         note=f"{contender.cpu:.0f} µs against {theirs.cpu:.0f} µs of CPU each; {peer.remark}"))
    except RuntimeError as error:
        bench.add(Row(title, None, least=3, aim=10, note=str(error)[:300], optional=True))
    finally:
        peer.stop()


def scep(bench):
    """SCEP PKCSReq: RSA-2048 RA, P-256 CA, devices with RSA-2048."""
    with Gateway(bench, "scep") as gateway:
        gateway.register("scep")
        arguments = ["scep", "--target", f"{gateway.http}/scep/demo", "--pool", peers.scep_pool(bench)]
        alone = ours(bench, gateway, *arguments)
        alternate(bench, [alone], 100 if bench.quick else 2000)
        add_floor(bench, "SCEP PKCSReq", alone, 0.55, 0.65)
        beside(bench, "SCEP", peers.scepserver, 50 if bench.quick else 300, ours(bench, gateway, *arguments))


def est(bench):
    """EST simpleenroll: P-256, HTTP Basic, TLS 1.3; on kept connections, then a new one each."""
    with Gateway(bench, "est") as gateway:
        gateway.register("est")
        arguments = ["est", "--target", f"{gateway.https}/.well-known/est/demo/simpleenroll", "--trust", gateway.trust]
        kept, fresh = ours(bench, gateway, *arguments), ours(bench, gateway, *arguments, "--new")
        alternate(bench, [kept, fresh], 100 if bench.quick else 3000)
        add_floor(bench, "EST simpleenroll, kept connections", kept, 0.30, 0.38)
        add_floor(bench, "EST simpleenroll, a full handshake each", fresh)
        beside(bench, "EST", peers.estserver, 20 if bench.quick else 300, ours(bench, gateway, *arguments, "--new"))


def est_renew(bench):
    """EST simplereenroll: mutual TLS 1.3, a full handshake each, P-256."""
    with Gateway(bench, "est-renew") as gateway:
        gateway.register("est")
        renews = ours(bench, gateway, "est", "--target", f"{gateway.https}/.well-known/est/demo/simpleenroll", "--trust", gateway.trust,
                      "--mix", "renew")
        alternate(bench, [renews], 100 if bench.quick else 2000)
        add_floor(bench, "EST simplereenroll, mutual TLS 1.3, a full handshake each", renews, 0.35, 0.40)


def cmp(bench):
    """CMP ir and certConf: P-256, under a password (500 iterations), then signed."""
    with Gateway(bench, "cmp") as gateway:
        gateway.register("cmp")
        arguments = ["cmp", "--target", f"{gateway.http}/.well-known/cmp/p/demo"]
        password, signed = ours(bench, gateway, *arguments), ours(bench, gateway, *arguments, "--signed", "--trust", gateway.trust)
        alternate(bench, [password, signed], 100 if bench.quick else 2000)
        add_floor(bench, "CMP ir and certConf, password-based MAC", password, 0.35, 0.50)
        add_floor(bench, "CMP ir and certConf, signed with P-256", signed, 0.35, 0.45)
        client = CmpClient(bench, gateway.plain, ".well-known/cmp/p/demo", "unit-0.bench.example.com")
        beside(bench, "CMP", peers.openssl_cmp, 20 if bench.quick else 300, Contender("muster", gateway.pid, client.drive))


def acme(bench):
    """ACME: newOrder, finalize and certificate, ES256, P-256, names authorized beforehand, kept connections."""
    with Gateway(bench, "acme") as gateway:
        arguments = ["acme", "--target", f"{gateway.https}/acme/bound/directory", "--trust", gateway.trust, "--kid", "bench-site",
                     "--hmac", gateway.bind_account()]
        alone = ours(bench, gateway, *arguments)
        alternate(bench, [alone], 100 if bench.quick else 2000)
        add_floor(bench, "ACME newOrder to certificate", alone, 0.45, 0.55)
        beside(bench, "ACME", peers.pebble, 50 if bench.quick else 500, ours(bench, gateway, *arguments))


def latency(bench):
    """EST at half of what the daemon can do, in an open loop: how long an answer takes that is not waited for by the next."""
    with Gateway(bench, "latency") as gateway:
        gateway.register("est")
        arguments = ["est", "--target", f"{gateway.https}/.well-known/est/demo/simpleenroll", "--trust", gateway.trust]
        closed = ours(bench, gateway, *arguments)
        alternate(bench, [closed], 100 if bench.quick else 3000, rounds=2)
        rate = round(closed.rate / 2)
        rounds = [bench.tool(*arguments, "--clients", 64, "--rate", rate, "--warmup", "500ms" if bench.quick else "1s", "--duration",
                             "1s" if bench.quick else "5s")[0] for _ in range(2 if bench.quick else 3)]
        for quantile, key in (("median", "p50_ms"), ("99th percentile", "p99_ms"), ("99.9th percentile", "p999_ms")):
            bench.add(row_of(f"EST simpleenroll at half of its throughput, open loop: {quantile} of the latency",
                             [told[key] for told in rounds], unit="ms", note=f"{rate} a second are due, with a durable commit each"))


def workers(bench):
    """Two workers against one: does the second cost CPU?"""
    gateways = [Gateway(bench, f"workers-{n}", workers=n, cores=bench.cores.all) for n in (1, 2)]
    contenders = []
    try:
        for gateway in gateways:
            gateway.start()
            gateway.register("est")
            contenders.append(ours(bench, gateway, "est", "--target", f"{gateway.https}/.well-known/est/demo/simpleenroll", "--trust",
                                   gateway.trust, closely=True))
        alternate(bench, contenders, 100 if bench.quick else 3000, rounds=2 if bench.quick else 11)
    finally:
        for gateway in gateways:
            gateway.stop()
    one, two = contenders
    bench.add(row_of("CPU of an enrollment with two workers ÷ with one", ratios(two.cpu_us, one.cpu_us), least=1.1, at_most=True,
                     note=f"EST; {two.cpu:.0f} µs against {one.cpu:.0f} µs; {two.rate:.0f} against {one.rate:.0f} a second, the clients on "
                          "the same cores"))
