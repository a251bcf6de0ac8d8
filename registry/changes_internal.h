/* changes_internal.h: what a change is made of. Read by apply*.c and changes_clash.c alone. */
#ifndef MUSTER_REGISTRY_CHANGES_INTERNAL_H
#define MUSTER_REGISTRY_CHANGES_INTERNAL_H

#include "registry/changes.h"

struct change {
    struct change *next;
    enum change_kind kind;
    uint64_t revision; /* expected */
    union {
        struct registration registration;
        struct {
            struct registration_id id;
            bool used;
        } use; /* also REGISTRATION_ASSUME */
        struct certificate_record certificate;
        struct {
            struct certificate_id id;
            int reason;
            int64_t revoked_s;
        } revoke; /* also CERTIFICATE_ASSUME: its id */
        struct {
            struct state_key key;
            struct state_value value;
        } state;
        struct {
            struct state_key holder;
            struct bytes member;
            int64_t expires_s;
            uint32_t max;
        } place;               /* PLACE_FREE: holder and member */
        struct job_record job; /* JOB_DELETE: its id */
        struct officer_record officer;
        struct {
            struct bytes officer, jti;
        } jti;
        struct {
            enum audit_kind kind;
            struct bytes content;
        } audit;
    };
};

#endif
