"""The door through which the registry enters dbt's DuckDB connection."""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from udfs.registry import REGISTRY


class Plugin(BasePlugin):
    """Registers every function of the registry when dbt opens the warehouse."""

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:
        """Make the folders that DuckDB expects to find, so that a first plain build works.

        Parameters
        ----------
        creds : dbt.adapters.duckdb.credentials.DuckDBCredentials
            Holds the path of the warehouse.
        config
            DuckDB's settings; ``temp_directory`` is where a big build spills.
        """
        Path(creds.path).parent.mkdir(parents=True, exist_ok=True)
        if "temp_directory" in config:
            Path(config["temp_directory"]).mkdir(parents=True, exist_ok=True)

    def configure_connection(self, conn: Any) -> None:
        """Register the functions as vectorised Arrow functions.

        Parameters
        ----------
        conn : duckdb.DuckDBPyConnection
            The connection that dbt has just opened.
        """
        for function in REGISTRY:
            conn.create_function(
                function.name,
                function.arrow(),
                [kind for _, kind in function.parameters],
                function.sql_type,
                type="arrow",
                null_handling="special",
                # else a filter on an answer is pushed below it, and each row is computed twice
                side_effects=True,
            )
