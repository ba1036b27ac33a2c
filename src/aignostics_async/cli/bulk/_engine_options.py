"""The options of commands that say what runs the stages of a bulk job: this machine, or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from attrs import frozen
from cyclopts import Parameter

from ... import Client, Store
from ...bulk import ClusterTls, DaskEngine, LocalEngine, StageEngine
from ...errors import UsageError
from .._options import Whole


@Parameter(name="*")
@frozen(kw_only=True)
class EngineOptions:
    """What reads, uploads and downloads slides."""

    engine: Annotated[
        Literal["local", "dask"] | None,
        Parameter(
            help="What reads, uploads and downloads slides: local, this machine, or dask, the workers of a "
            "Dask cluster. The default is local, or dask with an option that names a cluster."
        ),
    ] = None
    scheduler: Annotated[
        str | None, Parameter(help="The address of a Dask scheduler, such as tls://head:8786.")
    ] = None
    scheduler_file: Annotated[
        Path | None, Parameter(help="The file that 'dask scheduler --scheduler-file' has written.")
    ] = None
    local_cluster: Annotated[
        Whole | None, Parameter(help="The number of workers of a Dask cluster to start on this machine.")
    ] = None
    tls_ca: Annotated[
        Path | None,
        Parameter(
            help="The certificate of the authority of a cluster, a PEM file. Without it, --tls-cert and "
            "--tls-key those of Dask's configuration are used."
        ),
    ] = None
    tls_cert: Annotated[Path | None, Parameter(help="The certificate to show to a cluster, a PEM file.")] = (
        None
    )
    tls_key: Annotated[Path | None, Parameter(help="The private key of --tls-cert.")] = None

    @property
    def is_cluster(self) -> bool:
        """Whether the stages run on a cluster."""
        return self.engine == "dask" or (self.engine is None and bool(self._places))

    @property
    def _places(self) -> list[object]:
        given = (self.scheduler, self.scheduler_file, self.local_cluster)
        return [each for each in given if each is not None]

    def open(self, endpoint: str | None) -> StageEngine:
        """Return the engine, whose workers open the store at an endpoint if one is given."""
        if not self.is_cluster:
            if self._places:
                raise UsageError("--engine local takes no cluster; leave out what names one")
            return LocalEngine()
        if len(self._places) != 1:
            raise UsageError("--engine dask takes one of --scheduler, --scheduler-file and --local-cluster")
        return DaskEngine(
            self.scheduler,
            scheduler_file=self.scheduler_file,
            local_workers=self.local_cluster,
            tls=self._tls(),
            store_endpoint=endpoint,
        )

    def store(self, session: Client, address: str, endpoint: str | None) -> Store | str:
        """Return the store of a job; its address, if that is enough for the workers of a cluster, too."""
        opened = session.store(address, endpoint=endpoint)
        return address if self.is_cluster and endpoint is None else opened

    def _tls(self) -> ClusterTls | None:
        if self.tls_ca is None and self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_ca is None or self.tls_cert is None:
            raise UsageError(
                "--tls-ca and --tls-cert are given together, with --tls-key unless it is in --tls-cert"
            )
        return ClusterTls(ca=self.tls_ca, cert=self.tls_cert, key=self.tls_key)
