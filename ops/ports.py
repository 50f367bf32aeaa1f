"""Ports of this machine that a long-running verb opens."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from ingest.errors import InputError

LOOPBACK = "127.0.0.1"


@contextmanager
def showing(registry: CollectorRegistry, port: int, host: str = LOOPBACK) -> Iterator[int]:
    """Show metrics for a while.

    Parameters
    ----------
    registry
        What is shown.
    port, host
        Where; port 0: any that is free.

    Yields
    ------
    int
        The port.

    Raises
    ------
    InputError
        The port is taken.
    """
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        raise InputError(
            f"cannot show metrics on port {port} ({error}): give another with --metrics-port"
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
