/* registry_bench.h: muster-bench registry: look-ups and bulk import of the registry at several sizes, as
 * ratios: absolute figures say little on a shared machine. Writes beneath --directory and removes it again.
 */
#ifndef MUSTER_BENCH_REGISTRY_BENCH_H
#define MUSTER_BENCH_REGISTRY_BENCH_H

/* `registry [--rows N,N,...] [--directory DIR] [--json]`; returns the program's exit status. */
int bench_registry(int argc, char **argv);

#endif
