"""The parts by themselves: issuing, HTTP, idle connections, deadlines, the registry's operations."""

from .gateway import Gateway
from .result import row_of, row_of_tool


def issue(bench):
    """From a CSR to the certificate, against one verification and one signature."""
    length = ("--rounds", 5, "--each", 50) if bench.quick else ()
    for figures in bench.tool("issue", *length):
        bench.add(row_of_tool(f"{figures['name']}: CPU ÷ (verify + sign)", figures["ratio"], least=2.0, aim=1.6, at_most=True,
                              note=f"{figures['ours_us']:.0f} µs; primitives {figures['floor_us']:.0f} µs"))


def http(bench):
    """A request through lib/net and lib/http, against a bare epoll loop."""
    length = ("--rounds", 3, "--round-ms", 100) if bench.quick else ()
    for figures in bench.tool("http", *length, cores=bench.cores.all):
        bench.add(row_of_tool(f"{figures['name']}, keep-alive: CPU ÷ bare epoll loop", figures["ratio"], least=1.6, aim=1.25,
                              at_most=True, note=f"{figures['ours_us']:.1f} µs; bare {figures['bare_us']:.1f} µs"))


def idle(bench):
    """Memory of the daemon for TLS connections that do nothing."""
    connections = 300 if bench.quick else 10000
    opened, used, answer = [], [], []
    for n in range(1 if bench.quick else 3):
        with Gateway(bench, f"idle-{n}", limits="head_time: 30m, idle: 30m") as gateway:
            (figures,) = bench.tool("idle", "--target", f"{gateway.https}/.well-known/est/demo/cacerts", "--pid", gateway.pid,
                                    "--connections", connections)
        opened.append(figures["opened_kib"])
        used.append(figures["used_kib"])
        answer.append(figures["answer_ms"])
    wanted = {"least": 22, "aim": 16, "at_most": True, "unit": "KiB"}
    bench.add(row_of(f"memory of an idle TLS connection ({connections} of them)", opened, **wanted),
              row_of("the same after a request each", used, **wanted),
              row_of("another client meanwhile: connection, handshake, answer", answer, unit="ms", at_most=True))


def drip(bench):
    """How long a connection lives that is fed one octet at a time."""
    deadline_ms = 500 if bench.quick else 4000
    times = ", ".join(f"{name}: {deadline_ms}ms" for name in ("handshake", "head_time", "body_time"))
    with Gateway(bench, "drip", limits=times) as gateway:
        for phase in ("handshake", "head", "body"):
            target = gateway.https if phase == "handshake" else gateway.http
            (figures,) = bench.tool("drip", "--target", f"{target}/scep/demo", "--phase", phase, "--deadline-ms", deadline_ms)
            bench.add(row_of_tool(f"life of a connection that drips in the {phase} ÷ deadline", figures["ratio"], least=1.1,
                                  aim=1.02, at_most=True, note=f"longest {figures['longest']:.3f}"))
