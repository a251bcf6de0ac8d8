"""Enrollments over each protocol: what part of the daemon's CPU is cryptography that nobody can leave out, and how many a
CPU second gives beside a peer. 64 clients in a closed loop, every answer verified, every commit durable."""

from . import peers, process
from .gateway import Gateway
from .result import Row, ratios, row_of

FLOOR = "cryptography alone ÷ CPU of the daemon"


class Contender:
    """Somebody who is asked for enrollments in every round."""

    def __init__(self, name, pid, arguments):
        self.name = name
        self.pid = pid
        self.arguments = arguments
        self.cpu_us, self.floor_us, self.per_second = [], [], []

    def measure(self, bench, count, keep=True):
        before = process.cpu_seconds(self.pid)
        said = bench.tool(*self.arguments, "--count", count, "--clients", min(64, count), "--pid", self.pid, check=False)
        cpu_s = process.cpu_seconds(self.pid) - before
        if not said or said[-1]["verified"] != count:
            raise RuntimeError(f"{self.name}: {said[-1]['verified'] if said else 'none'} of {count} answers verified")
        figures = said[-1]
        if keep:
            self.cpu_us.append(figures["cpu_us"] if figures["cpu_us"] > 0 else cpu_s * 1e6 / count)
            self.floor_us.append(figures["floor_us"])
            self.per_second.append(figures["per_second"])


def alternate(bench, contenders, count):
    """A round that does not count, for all that is done once; then each in turn."""
    for contender in contenders:
        contender.measure(bench, min(count, 128), keep=False)
    for _ in range(bench.rounds):
        for contender in contenders:
            contender.measure(bench, count)


def add_floor(bench, measure, contender, least, aim):
    bench.add(row_of(f"{measure}: {FLOOR}", ratios(contender.floor_us, contender.cpu_us), least=least, aim=aim,
                     note=f"{median_of(contender.cpu_us):.0f} µs of CPU, {median_of(contender.floor_us):.0f} µs of it cryptography; "
                          f"{median_of(contender.per_second):.0f} a second"))


def median_of(values):
    return row_of("", values).value


def beside(bench, measure, ours, make_peer, count):
    """The same client against ours and a peer, in turn."""
    peer = make_peer(bench)
    if peer is None:
        bench.add(Row(f"{measure}: enrollments a CPU second ÷ {make_peer.__name__}", None, note="it is not installed",
                      optional=True))
        return
    try:
        theirs = Contender(peer.name, peer.pid, peer.arguments)
        alternate(bench, [ours, theirs], count)
        bench.add(row_of(f"{measure}: enrollments a CPU second ÷ {peer.name}", ratios(theirs.cpu_us, ours.cpu_us), least=3, aim=10,
                         note=f"{median_of(ours.cpu_us):.0f} µs against {median_of(theirs.cpu_us):.0f} µs of CPU each; {peer.remark}"))
    except RuntimeError as error:
        bench.add(Row(f"{measure}: enrollments a CPU second ÷ {peer.name}", None, note=str(error)[:300], optional=True))
    finally:
        peer.stop()


def scep(bench):
    """SCEP PKCSReq: RSA-2048 RA, P-256 CA, devices with RSA-2048."""
    count = 100 if bench.quick else 2000
    with Gateway(bench, "scep") as gateway:
        gateway.register("scep")
        arguments = ["scep", "--target", f"{gateway.http}/scep/demo", "--pool", 4 if bench.quick else 16]
        ours = Contender("muster", gateway.pid, arguments)
        alternate(bench, [ours], count)
        add_floor(bench, "SCEP PKCSReq", ours, 0.55, 0.65)
        beside(bench, "SCEP", Contender("muster", gateway.pid, arguments), peers.scepserver, count // 4)


def est(bench):
    """EST simpleenroll: P-256, HTTP Basic, TLS 1.3; on kept connections, then a new one each."""
    count = 100 if bench.quick else 3000
    with Gateway(bench, "est") as gateway:
        gateway.register("est")
        arguments = ["est", "--target", f"{gateway.https}/.well-known/est/demo/simpleenroll", "--trust", gateway.trust]
        kept = Contender("muster", gateway.pid, arguments)
        fresh = Contender("muster, new connections", gateway.pid, [*arguments, "--new"])
        alternate(bench, [kept, fresh], count)
        add_floor(bench, "EST simpleenroll, kept connections", kept, 0.30, 0.38)
        add_floor(bench, "EST simpleenroll, a full handshake each", fresh, None, None)
        beside(bench, "EST, new connections", Contender("muster", gateway.pid, [*arguments, "--new"]), peers.estserver, count // 4)


def est_renew(bench):
    """EST simplereenroll: mutual TLS 1.3, a full handshake each, P-256."""
    measure = "EST simplereenroll, mutual TLS 1.3, full handshake"
    count = 100 if bench.quick else 2000
    with Gateway(bench, "est-renew") as gateway:
        gateway.register("est")
        arguments = ["est", "--target", f"{gateway.https}/.well-known/est/demo", "--trust", gateway.trust, "--mix", "renew:1", "--new"]
        ours = Contender("muster", gateway.pid, arguments)
        try:
            alternate(bench, [ours], count)
        except RuntimeError as error:
            bench.add(Row(f"{measure}: {FLOOR}", None, note=f"muster-bench est --mix renew:1 --new: {error}"[:300], optional=True))
            return
        add_floor(bench, measure, ours, 0.35, 0.40)


def cmp(bench):
    """CMP ir and certConf: P-256, under a password (500 iterations), then signed."""
    count = 100 if bench.quick else 2000
    with Gateway(bench, "cmp") as gateway:
        gateway.register("cmp")
        arguments = ["cmp", "--target", f"{gateway.http}/.well-known/cmp/p/demo"]
        password = Contender("muster", gateway.pid, arguments)
        signed = Contender("muster, signed", gateway.pid, [*arguments, "--signed", "--trust", gateway.trust])
        alternate(bench, [password, signed], count)
        add_floor(bench, "CMP ir and certConf, password-based MAC", password, 0.35, 0.50)
        add_floor(bench, "CMP ir and certConf, signed with P-256", signed, 0.35, 0.45)
        bench.remark("Of CMP no peer that keeps anything is at hand: `openssl cmp -port` is a mock that answers each request with one "
                     "and the same certificate, so that no answer of it could be verified.")


def acme(bench):
    """ACME: newOrder, finalize and certificate, ES256, P-256, names authorized beforehand, kept connections."""
    count = 100 if bench.quick else 2000
    with Gateway(bench, "acme") as gateway:
        hmac = gateway.bind_account()
        arguments = ["acme", "--target", f"{gateway.https}/acme/bound/directory", "--trust", gateway.trust, "--kid", "bench-site",
                     "--hmac", hmac]
        ours = Contender("muster", gateway.pid, arguments)
        alternate(bench, [ours], count)
        add_floor(bench, "ACME newOrder to certificate", ours, 0.45, 0.55)
        beside(bench, "ACME", Contender("muster", gateway.pid, arguments), peers.pebble, count // 4)


def workers(bench):
    """Two workers against one: does the second cost CPU?"""
    count = 100 if bench.quick else 3000
    contenders = []
    gateways = [Gateway(bench, f"workers-{n}", workers=n, cores=bench.cores.all) for n in (1, 2)]
    try:
        for gateway in gateways:
            gateway.start()
            gateway.register("est")
            contenders.append(Contender("muster", gateway.pid, [
                "est", "--target", f"{gateway.https}/.well-known/est/demo/simpleenroll", "--trust", gateway.trust]))
        alternate(bench, contenders, count)
    finally:
        for gateway in gateways:
            gateway.stop()
    one, two = contenders
    bench.add(row_of("CPU of an enrollment with two workers ÷ with one", ratios(two.cpu_us, one.cpu_us), least=1.1, at_most=True,
                     note=f"{median_of(two.cpu_us):.0f} µs against {median_of(one.cpu_us):.0f} µs; "
                          f"{median_of(two.per_second):.0f} against {median_of(one.per_second):.0f} a second, clients on the same cores"))
