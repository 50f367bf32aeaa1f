"""Half an hour of the services under load and kills: `make soak`."""
