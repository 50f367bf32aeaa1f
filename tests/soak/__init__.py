"""Half an hour of the services under load and kills, and one in peace: `make soak`."""
