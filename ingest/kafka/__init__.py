"""The event log in Kafka: clients, topics, producer, members of a group, and the lander."""
