/* parking.h: requests whose answer would be "pending" are held back for a while: until the job that they wait
 * for has news, or their patience ends. Nothing runs them meanwhile. Any thread. */
#ifndef MUSTER_GATEWAY_PARKING_H
#define MUSTER_GATEWAY_PARKING_H

#include "lib/base/error.h"
#include "registry/records.h"

/* A member of what is parked; the owner keeps it until it comes back in a list. */
struct parked {
    struct parked *next;
    struct job_id job;
    int64_t until_ms; /* monotonic */
};

struct parking;

/* At most `max` at a time. */
MUST_USE bool parking_new(size_t max, struct parking **out, struct error *err);
void parking_free(struct parking *parking); /* accepts NULL; nothing is parked any more */

enum parking_place { PARKING_REFUSED = 0 /* full or closed */, PARKING_NEWS, PARKING_HELD };

/* HELD: from now on it is not the caller's any more. NEWS: the job had news a moment ago, after the caller
 * looked: run it again at once. */
enum parking_place parking_put(struct parking *parking, struct parked *parked);

/* Those who wait for this job, who wait too long, all of them. NULL: none. */
struct parked *parking_news(struct parking *parking, const struct job_id *job);
struct parked *parking_expired(struct parking *parking, int64_t now_ms);
struct parked *parking_close(struct parking *parking);

/* When the first one's patience ends; INT64_MAX: none is parked. */
int64_t parking_next_ms(struct parking *parking);
size_t parking_count(struct parking *parking);

#endif
