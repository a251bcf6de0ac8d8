/* fault.h: why something that went out to a stranger's host failed, so that it can be told apart. */
#ifndef MUSTER_NET_FAULT_H
#define MUSTER_NET_FAULT_H

enum net_fault {
    NET_FAULT_OURS = 0, /* memory, settings: nothing can be said about the host */
    NET_FAULT_URL,      /* no URL, another scheme or port than is allowed */
    NET_FAULT_DNS,      /* the name does not resolve */
    NET_FAULT_ADDRESS,  /* every address of it is forbidden */
    NET_FAULT_CONNECT,  /* no connection, or it broke off */
    NET_FAULT_TIMEOUT,  /* connected, and not done in time */
    NET_FAULT_TLS,      /* the handshake failed, or showed no certificate */
    NET_FAULT_ALPN,     /* the peer did not choose the protocol */
    NET_FAULT_REDIRECT, /* too many */
    NET_FAULT_ANSWER,   /* no HTTP, or more than is taken */
    NET_OK,
};

#endif
