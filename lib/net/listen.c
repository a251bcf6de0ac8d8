#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "lib/net/net_internal.h"

enum { BACKLOG = 4096 };

static socklen_t address_of(const struct ip_address *ip, uint16_t port, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
    if (ip->len == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;

        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, ip->bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, ip->bytes, 16);
    return sizeof(*in6);
}

/* "::" takes IPv4 too, whatever the system's default is. */
static bool set_options(int fd, const struct ip_address *ip, bool shared)
{
    int on = 1, off = 0;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
           (ip->len == 4 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0);
}

bool listen_socket(const struct net_listener *listener, uint16_t port, bool shared, int *out,
                   struct error *err)
{
    struct sockaddr_storage address;
    struct ip_address ip;
    socklen_t len;
    int fd;

    if (!ip_parse(bytes_text(listener->address), &ip))
        return error_set(err, ERROR_FORMAT, "listener %s: address is no IP address", listener->name);
    len = address_of(&ip, port, &address);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !set_options(fd, &ip, shared) || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        listen(fd, BACKLOG) != 0) {
        int why = errno;
        char where[80];

        (void)snprintf(where, sizeof(where), "%s port %u", listener->address, (unsigned)port);
        errno = why;
        (void)error_errno(err, where);
        if (fd >= 0)
            (void)close(fd);
        return error_prefix(err, listener->name);
    }
    *out = fd;
    return true;
}

uint16_t listen_port(int fd)
{
    struct sockaddr_in6 address = { .sin6_family =
                                        AF_UNSPEC }; /* an IPv4 one has its port at the same place */
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.sin6_port);
}
