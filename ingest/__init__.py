"""What an event is and how it comes to rest as Parquet."""
