-- Why an order waits for a person stands in its case.
CREATE INDEX replica_case_by_order ON replica_case (json_extract(json, '$.order'));
