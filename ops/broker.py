"""A Kafka broker of one node for development and tests: `make kafka`. Needs Java 17 and its jars.

Everything it keeps is in one folder; it listens on loopback only.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import DriftnetError

PORT = 9092


@dataclass(frozen=True)
class Broker:
    """What a broker is made of.

    Parameters
    ----------
    jars
        The folder of the jars (`make kafka` fetches them).
    folder
        Where configuration and data are kept.
    port, controller_port
        Of clients, and of the broker's own quorum; both on 127.0.0.1.
    properties
        Settings of the broker beside or instead of the usual ones.
    users
        Arguments of `kafka-storage format --add-scram`.
    memory
        Heap of the virtual machine.
    """

    jars: Path
    folder: Path
    port: int = PORT
    controller_port: int = PORT + 1
    properties: Mapping[str, str] = field(default_factory=dict)
    users: Sequence[str] = ()
    memory: str = "512m"

    def prepare(self) -> None:
        """Write the configuration and, the first time, format the folder.

        Raises
        ------
        DriftnetError
            No Java, no jars, or the folder cannot be formatted.
        """
        if not any(self.jars.glob("kafka_*.jar")):
            raise DriftnetError(f"no Kafka in {self.jars}: run `make kafka`, which fetches it")
        self.folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={value}\n" for name, value in self._properties().items())
        self._config.write_text(text)
        if (self.folder / "data" / "meta.properties").exists():
            return
        scram = [word for user in self.users for word in ("--add-scram", user)]
        tool = "kafka.tools.StorageTool"
        cluster = self._java(tool, "random-uuid").strip().splitlines()[-1]
        self._java(tool, "format", "-t", cluster, "-c", str(self._config), *scram)

    def command(self) -> list[str]:
        """Return the command that runs the broker until it is ended."""
        quiet = "-Dorg.slf4j.simpleLogger"
        return [
            "java",
            f"-Xmx{self.memory}",
            f"{quiet}.defaultLogLevel=warn",
            f"{quiet}.log.kafka.server.KafkaRaftServer=info",
            "-cp",
            f"{self.jars}/*",
            "kafka.Kafka",
            str(self._config),
        ]

    @property
    def _config(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, *words: str) -> str:
        command = ["java", "-Xmx256m", "-cp", f"{self.jars}/*", *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except FileNotFoundError:
            raise DriftnetError("no java: install Java 17 or later") from None
        except subprocess.CalledProcessError as error:
            lines = (error.stderr or error.stdout).strip().splitlines() or [""]
            raise DriftnetError(f"{words[0]} failed: {lines[-1]}") from error
        return done.stdout

    def _properties(self) -> dict[str, str]:
        here = "127.0.0.1"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{here}:{self.controller_port}",
            "listeners": f"PLAINTEXT://{here}:{self.port},CONTROLLER://{here}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{here}:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            **self.properties,
        }


def main(words: Sequence[str]) -> None:
    """Become a broker: the words are the folders of the jars and of the data, and the port."""
    jars, folder, *port = words
    number = int(port[0]) if port else PORT
    broker = Broker(Path(jars).absolute(), Path(folder).absolute(), number, number + 1)
    broker.prepare()
    command = broker.command()
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
