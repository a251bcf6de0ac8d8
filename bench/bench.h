/* bench.h: the commands of muster-bench; each returns an exit status. */
#ifndef MUSTER_BENCH_H
#define MUSTER_BENCH_H

int bench_est(int argc, char **argv);
int bench_cmp(int argc, char **argv);
int bench_scep(int argc, char **argv);
int bench_acme(int argc, char **argv);
int bench_issue(int argc, char **argv);
int bench_http(int argc, char **argv);
int bench_idle(int argc, char **argv);
int bench_drip(int argc, char **argv);
int bench_seed(int argc, char **argv);
int bench_match(int argc, char **argv);
int bench_import(int argc, char **argv);
int bench_commit(int argc, char **argv);

#endif
