/* The directory (RFC 8555 7.1.1). What is not offered is absent. */
#include "proto/acme/order_internal.h"

static bool put_url(const struct acme_call *c, json_t *object, const char *name, const char *path)
{
    struct bytes url = acme_call_url(c, path);

    return url.data != NULL && json_put_text(object, name, url);
}

static bool put_identities(const struct procedure *p, json_t *meta)
{
    AUTO(json_t) *list = json_array();

    for (size_t i = 0; i < p->acme_caa_identity_count; i++)
        if (!json_push(list, json_string(p->acme_caa_identity[i])))
            return false;
    return p->acme_caa_identity_count == 0 || json_put(meta, "caaIdentities", take(list));
}

static bool put_profiles(const struct procedure *p, json_t *meta)
{
    AUTO(json_t) *list = json_object();

    if (p->acme_profile_count == 0)
        return true;
    if (!json_put(list, p->profile->name, json_string("the profile of those who choose none")))
        return false;
    for (size_t i = 0; i < p->acme_profile_count; i++)
        if (!json_put(list, p->acme_profile[i]->name, json_string(p->acme_profile[i]->name)))
            return false;
    return json_put(meta, "profiles", take(list));
}

static bool put_star(const struct procedure *p, json_t *meta)
{
    AUTO(json_t) *star = json_object();

    return json_put(star, "min-lifetime", json_integer(acme_star_lifetime_min(p))) &&
           json_put(star, "max-duration", json_integer(acme_star_duration_max(p))) &&
           (!p->acme_star_get || json_put(star, "allow-certificate-get", json_true())) &&
           json_put(meta, "auto-renewal", take(star));
}

static bool put_meta(const struct acme_call *c, json_t *directory)
{
    const struct procedure *p = c->procedure;
    AUTO(json_t) *meta = json_object();

    if ((p->acme_terms_url != NULL && !json_put(meta, "termsOfService", json_string(p->acme_terms_url))) ||
        (p->acme_website_url != NULL && !json_put(meta, "website", json_string(p->acme_website_url))) ||
        (p->acme_binding && !json_put(meta, "externalAccountRequired", json_true())) ||
        (p->acme_subdomains && !json_put(meta, "subdomainAuthAllowed", json_true())) ||
        (acme_star_offered(c) && !put_star(p, meta)) || !put_identities(p, meta) || !put_profiles(p, meta))
        return false;
    return json_object_size(meta) == 0 || json_put(directory, "meta", take(meta));
}

enum acme_progress acme_serve_directory(struct acme_call *c, struct error *err)
{
    AUTO(json_t) *directory = json_object();

    if (!put_url(c, directory, "newNonce", "new-nonce") ||
        !put_url(c, directory, "newAccount", "new-account") ||
        !put_url(c, directory, "newOrder", "new-order") || !put_url(c, directory, "newAuthz", "new-authz") ||
        !put_url(c, directory, "revokeCert", "revoke-cert") ||
        !put_url(c, directory, "keyChange", "key-change") ||
        !put_url(c, directory, "renewalInfo", "renewal-info") || !put_meta(c, directory)) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a directory");
        return ACME_ERROR;
    }
    return acme_respond(c, 200, take(directory), err);
}
