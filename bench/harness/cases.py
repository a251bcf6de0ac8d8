"""The cases in their order. A case is a function of a Bench that adds rows; its docstring says what it measures."""

from . import cases_micro, cases_protocol, cases_scale

CASES = {
    "scep": cases_protocol.scep,
    "est": cases_protocol.est,
    "est-renew": cases_protocol.est_renew,
    "cmp": cases_protocol.cmp,
    "acme": cases_protocol.acme,
    "latency": cases_protocol.latency,
    "workers": cases_protocol.workers,
    "issue": cases_micro.issue,
    "http": cases_micro.http,
    "idle": cases_micro.idle,
    "drip": cases_micro.drip,
    "registry": cases_scale.registry,
    "commit": cases_scale.commit,
    "growth": cases_scale.growth,
}
