-- Which own operations a snapshot holds does not follow from their places on the timeline before.
ALTER TABLE cursor ADD COLUMN snapshot_own_seq INTEGER;
