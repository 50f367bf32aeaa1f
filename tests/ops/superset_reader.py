"""Asks a published file through Superset; runs in Superset's own environment.

`python superset_reader.py FILE`: for each line of standard input (SQL) one line of JSON.
"""

import json
import sys


def main(path: str) -> None:
    """Make the connection as a person does in Superset, and answer."""
    from flask_appbuilder import Model  # type: ignore[import-not-found]
    from superset.app import create_app  # type: ignore[import-not-found]

    with create_app().app_context():
        from superset import db  # type: ignore[import-not-found]
        from superset.models.core import Database  # type: ignore[import-not-found]

        Model.metadata.create_all(db.engine)
        database = Database(
            database_name="driftnet",
            sqlalchemy_uri=f"duckdb:///{path}",
            extra=json.dumps({"engine_params": {"connect_args": {"read_only": True}}}),
        )
        db.session.add(database)
        db.session.commit()
        print(json.dumps("ready"), flush=True)
        for sql in sys.stdin:
            rows = database.get_df(sql, schema="main").to_dict("records")
            print(json.dumps(rows, default=str), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
