"""The registry: its operations by themselves, and the gateway on a small and on a very large one."""

from . import process
from .contender import Contender, alternate, by_tool
from .gateway import Gateway
from .result import Row, ratios, row_of, row_of_tool


def registry(bench):
    """Look-ups against a linear scan, hostile patterns against harmless ones, bulk import against a raw append."""
    small, large = (100, 10000) if bench.quick else (1000, 1000000)
    rounds = ("--rounds", 1 if bench.quick else 5, "--directory", bench.work)
    (few,) = bench.tool("match", "--size", small, *rounds)
    (many,) = bench.tool("match", "--size", large, *rounds)
    size = f"{large:,} names and as many patterns"
    bench.add(
        row_of_tool(f"finding a registration among {size} ÷ comparing with each pattern", many["against_scan"], least=1 / 1000,
                    aim=1 / 2000, at_most=True, note=f"{many['us']['wild']:.1f} µs against {many['scan_us']:,.0f} µs"),
        row_of_tool("the same among hostile patterns ÷ among harmless ones", many["hostile"], least=30, aim=5, at_most=True,
                    note=f"the worst set: {many['worst']}; " + ", ".join(f"{name} {us:.1f} µs" for name, us in many["us"].items())),
        Row(f"the same among {large:,} ÷ among {small:,}", many["us"]["wild"] / few["us"]["wild"], least=8,
            aim=5, at_most=True, note=f"{few['us']['wild']:.2f} µs, then {many['us']['wild']:.2f} µs"))
    (figures,) = bench.tool("import", "--rows", large, "--rounds", 1 if bench.quick else 5, "--directory", bench.work)
    bench.add(row_of_tool(f"bulk import of {large:,}: its speed ÷ a raw sorted append of the same bytes",
                          figures["ratio"], least=0.30, aim=0.50,
                          note=f"{figures['rows_per_s']:,.0f} registrations a second; {figures['raw_rows']:,} rows of "
                               f"{figures['raw_bytes'] / 1e6:,.0f} MB in {figures['import_s']:.1f} s, raw in {figures['raw_s']:.1f} s"))


def commit(bench):
    """Many outcomes in one commit, against one sync each."""
    length = ("--rounds", 2, "--round-ms", 100) if bench.quick else ()
    (figures,) = bench.tool("commit", *length, "--directory", bench.work)
    bench.add(row_of_tool("durable records a second, 64 in a commit ÷ a commit each", figures["ratio"], least=5, aim=6,
                          note=f"{figures['together']:,.0f} against {figures['alone']:,.0f} a second; fdatasync of a page takes "
                               f"{figures['fdatasync_us']:.0f} µs here"))


def seeded(bench, name, rows, issued):
    """A gateway, not started yet, on a registry of that size."""
    gateway = Gateway(bench, name)
    said, _ = bench.say("seed", "--config", gateway.configuration, "--rows", rows, "--issued", issued)
    if rows > 1000:
        bench.remark(f"The large registry was made by `muster-bench seed`: {said.strip()}.")
    return gateway


def growth(bench):
    """CPU of an enrollment with few and with ten million registrations."""
    rows, issued = (20000, 2000) if bench.quick else (10_000_000, 1_000_000)
    gateways = [seeded(bench, "few", 1000, 1000), seeded(bench, "many", rows, issued)]
    few, many = gateways
    try:
        cold = many.start()
        many.stop()
        starts = []
        for _ in range(bench.rounds):
            starts.append(many.start())
            many.stop()
        contenders = []
        for gateway in gateways:
            gateway.start()
            contenders.append(Contender("muster", gateway.pid, by_tool(bench, gateway.pid, [
                "est", "--target", f"{gateway.https}/.well-known/est/demo/simpleenroll", "--trust", gateway.trust]), closely=True))
        if bench.quick:
            alternate(bench, contenders, 100)
        else:
            alternate(bench, contenders, 1000, warm_up=6, rounds=15)
        memory = [(process.memory_kib(gateway.pid) / 1024, process.memory_kib(gateway.pid, "Anonymous") / 1024) for gateway in gateways]
    finally:
        for gateway in gateways:
            gateway.stop()
    at_few, at_many = contenders
    bench.add(
        row_of(f"CPU of an enrollment with {rows:,} registrations and {issued:,} certificates ÷ with a thousand of each",
               ratios(at_many.cpu_us, at_few.cpu_us), least=1.1, at_most=True,
               note=f"EST, kept connections, after six rounds that do not count; {at_many.cpu:.0f} µs against {at_few.cpu:.0f} µs"),
        row_of(f"start with {rows:,} registrations, until it answers", starts, unit="s", least=1, at_most=True,
               note=f"{cold:.2f} s the first time, with nothing of the file in memory"),
        Row(f"memory of the daemon with {rows:,} registrations, after the load", memory[1][0], unit="MiB", at_most=True,
            note=f"resident; {memory[1][1]:.0f} MiB of it its own, the rest pages of the registry's file that the system may take "
                 f"back. With a thousand: {memory[0][0]:.0f} MiB, {memory[0][1]:.0f} its own"))
