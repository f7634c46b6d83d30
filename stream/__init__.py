"""From an Arrow batch to Kafka and back, losing nothing: codec, outbox, publisher, subscriber."""
