"""The verbs as a DAG of Airflow 3: put this folder among its DAGs, see README.md here.

It needs nothing of Driftnet in Airflow's own environment: each task calls the command line.
"""

import subprocess
from datetime import datetime, timedelta

from airflow.exceptions import AirflowException
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG

#: Airflow's variable `driftnet` says where the command is, if it is not on the PATH.
COMMAND = "{{ var.value.get('driftnet', 'driftnet') }}"
DRIFTED = 3


def branch(command: str) -> str:
    """Return the task that follows the gate: exit code 3 says that the world moved.

    Raises
    ------
    AirflowException
        The gate did not come to a verdict: then the task failed, and is tried again.
    """
    code = subprocess.run([command, "gate"], check=False).returncode
    if code not in (0, DRIFTED):
        raise AirflowException(f"driftnet gate ended with exit code {code}")
    return "drifted" if code == DRIFTED else "steady"


def make() -> DAG:
    """Return the DAG: land, build, gate; steady or drifted; then report, alert, retrain."""
    with DAG(
        dag_id="driftnet",
        description="Land, build, judge, tell, learn.",
        schedule="15 * * * *",
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": 2, "retry_delay": timedelta(seconds=10)},
        tags=["driftnet"],
    ) as made:
        land = BashOperator(task_id="land", bash_command=f"{COMMAND} land --once")
        build = BashOperator(task_id="build", bash_command=f"{COMMAND} build")
        gate = BranchPythonOperator(task_id="gate", python_callable=branch, op_args=[COMMAND])
        # The two ways are there to hang tasks on: a ticket where the world moved, for instance.
        ways = [EmptyOperator(task_id=name) for name in ("steady", "drifted")]
        report = BashOperator(
            task_id="report",
            bash_command=f"{COMMAND} report",
            trigger_rule="none_failed_min_one_success",
        )
        alert = BashOperator(task_id="alert", bash_command=f"{COMMAND} alert")
        retrain = BashOperator(task_id="retrain", bash_command=f"{COMMAND} retrain")
        land >> build >> gate >> ways >> report >> alert >> retrain
    return made


dag = make()
