"""The registry: its operations by themselves, and the gateway on a small and on a very large one."""


def registry(bench):
    """Look-ups against a linear scan, hostile patterns against harmless ones, bulk import against a raw append."""


def commit(bench):
    """Many outcomes in one commit, against one sync each."""


def growth(bench):
    """CPU of an enrollment with few and with ten million registrations."""
