/* chain.h: the chain of an upstream CA, asked of the CA itself where the configuration pins what vouches for
 * it (struct ca.anchor). One job a CA asks, judges what was told (ca_chain_choose()), has it written into
 * the CA's file and taken into use by a reload. It asks when nothing is known, at each interval, and when a
 * certificate came from another issuer than the chain's first.
 *
 * Each step is durable before an effect leaves: after a crash the CA is asked again, or the same file is
 * written again. What fails leaves the chain in use as it is.
 */
#ifndef MUSTER_ENROLL_CHAIN_H
#define MUSTER_ENROLL_CHAIN_H

#include "enroll/enroll.h"
#include "jobs/job.h"

enum { CA_CHAIN_REFRESH_S = 86400, CHAIN_LOOK_S = 60 };

/* In the turn that judges a certificate: where the CA issued it from another certificate than it is known
 * by, its chain is asked for soon. */
MUST_USE bool enroll_chain_look(struct turn *turn, const struct ca *ca, const struct certificate *issued,
                                struct error *err);

/* struct job_handler.run of two kinds; their service is the struct enroll_service. The first is standing: it
 * starts one of the second for each CA that is asked. */
#define ENROLL_CHAINS_JOB "ca-chains"
bool enroll_chains_job_run(struct turn *turn, const void *service, const struct job_record *job,
                           const struct job_event *event, struct job_step *out, struct error *err);
#define ENROLL_CHAIN_JOB "ca-chain"
bool enroll_chain_job_run(struct turn *turn, const void *service, const struct job_record *job,
                          const struct job_event *event, struct job_step *out, struct error *err);

#endif
