"""Batch predictions of any model behind `ingest.batch`: where from, what each column means."""
